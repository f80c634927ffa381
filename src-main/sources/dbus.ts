/**
 * A minimal D-Bus client for the Secret Service (D-Bus Specification 0.43): one connection over a Unix socket, method calls and their
 * replies, and the types that occur. The packages for this would load a hundred times the code into the main process.
 */
import { type Socket, createConnection } from 'node:net';
import { systemTimers } from '../waiting.ts';

/** A value of a signature: strings for `s`, `o`, `g`; numbers; arrays, also for structs; Buffer for `ay`; maps for `a{…}`. */
export type Value = string | number | boolean | Buffer | Value[] | Map<Value, Value> | Variant;

/** A D-Bus variant: a value with its signature. */
export interface Variant {
  readonly signature: string;
  readonly value: Value;
}

/** Thrown if the bus answers with an error. */
export class BusError extends Error {
  /** The D-Bus error name, such as `org.freedesktop.Secret.Error.IsLocked`. */
  readonly errorName: string;
  constructor(errorName: string, message: string) {
    super(message === '' ? errorName : message);
    this.errorName = errorName;
  }
}

/** A method to call. */
export interface Call {
  destination: string;
  path: string;
  interface: string;
  member: string;
  signature?: string;
  body?: readonly Value[];
}

const [METHOD_CALL, METHOD_RETURN, ERROR, SIGNAL] = [1, 2, 3, 4];
const FIELD = {
  path: 1,
  interface: 2,
  member: 3,
  errorName: 4,
  replySerial: 5,
  destination: 6,
  signature: 8,
};
/** Maximum size of a reply in bytes. The specification allows 128 MiB. */
const LONGEST_MESSAGE = 64 * 1024 * 1024;

/** Returns the address of the session bus; undefined if the environment names no reachable Unix socket. */
export function busSocket(env: Readonly<Record<string, string | undefined>>): string | undefined {
  for (const address of (env['DBUS_SESSION_BUS_ADDRESS'] ?? '').split(';')) {
    const [transport, rest = ''] = address.split(/:(.*)/s);
    if (transport !== 'unix') continue;
    for (const pair of rest.split(',')) {
      const [key, value = ''] = pair.split(/=(.*)/s);
      const text = value.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
        String.fromCharCode(parseInt(hex, 16)),
      );
      if (key === 'path') return text;
      if (key === 'abstract') return `\0${text}`;
    }
  }
  const folder = env['XDG_RUNTIME_DIR'];
  return folder === undefined || folder === '' ? undefined : `${folder}/bus`;
}

/** One connection to a message bus. */
export class Bus {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, { resolve: (body: Value[]) => void; reject: (error: Error) => void }>();
  readonly #listeners = new Map<string, (body: Value[]) => void>();
  readonly #deadline: number;
  #serial = 0;
  #received: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket, deadline: number) {
    this.#socket = socket;
    this.#deadline = deadline;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error) => this.#end(error));
    socket.on('close', () => this.#end(new Error('The message bus closed the connection.')));
  }

  /**
   * Connects and authenticates with SASL EXTERNAL (the kernel passes the user ID to the bus).
   *
   * @param deadline milliseconds to wait for each reply
   * @throws Error if the connection fails or the bus refuses it
   */
  static async connect(path: string, deadline = 10_000): Promise<Bus> {
    const socket = createConnection({ path });
    const uid = String(process.getuid?.() ?? 0);
    await new Promise<void>((resolve, reject) => {
      const timer = systemTimers.setTimeout(
        () => fail(new Error('The message bus did not answer.')),
        deadline,
      );
      const fail = (error: Error): void => {
        systemTimers.clearTimeout(timer);
        socket.destroy();
        reject(error);
      };
      socket.once('error', fail);
      let answer = '';
      const onData = (chunk: Buffer): void => {
        answer += chunk.toString('latin1');
        if (!answer.includes('\r\n')) return;
        socket.off('data', onData);
        if (!answer.startsWith('OK ')) {
          fail(new Error('The message bus refused this user.'));
          return;
        }
        systemTimers.clearTimeout(timer);
        socket.off('error', fail);
        socket.write('BEGIN\r\n');
        resolve();
      };
      socket.on('data', onData);
      socket.write(`\0AUTH EXTERNAL ${Buffer.from(uid, 'latin1').toString('hex')}\r\n`);
    });
    const bus = new Bus(socket, deadline);
    try {
      await bus.callDaemon('Hello');
    } catch (error) {
      bus.close(); // an open socket would keep this process alive
      throw error;
    }
    return bus;
  }

  /** @throws BusError if the reply is an error; Error if there is no reply */
  call(call: Call): Promise<Value[]> {
    const serial = ++this.#serial;
    return new Promise((resolve, reject) => {
      const timer = systemTimers.setTimeout(() => {
        this.#waiting.delete(serial);
        reject(new Error(`${call.destination} did not answer within ${this.#deadline / 1000} s.`));
      }, this.#deadline);
      this.#waiting.set(serial, {
        resolve: (body) => {
          systemTimers.clearTimeout(timer);
          resolve(body);
        },
        reject: (error) => {
          systemTimers.clearTimeout(timer);
          reject(error);
        },
      });
      this.#socket.write(messageOf(call, serial));
    });
  }

  /** Calls the bus itself, with strings as arguments. @throws as `call` does */
  callDaemon(member: string, ...body: string[]): Promise<Value[]> {
    return this.call({
      destination: 'org.freedesktop.DBus',
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus',
      member,
      ...(body.length > 0 && { signature: 's'.repeat(body.length), body }),
    });
  }

  /** Calls the listener for each signal of an object, from when this method has resolved until the connection is closed. */
  async onSignal(
    { path, interface: of, member }: Pick<Call, 'path' | 'interface' | 'member'>,
    listener: (body: Value[]) => void,
  ): Promise<void> {
    this.#listeners.set(`${path} ${of} ${member}`, listener);
    await this.callDaemon('AddMatch', `type='signal',path='${path}',interface='${of}',member='${member}'`);
  }

  close(): void {
    this.#socket.destroy();
  }

  #end(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    try {
      for (;;) {
        const length = lengthOf(this.#received);
        if (length === null || this.#received.length < length) return;
        const message = this.#received.subarray(0, length);
        this.#received = this.#received.subarray(length);
        this.#answer(message);
      }
    } catch (error) {
      this.#socket.destroy(
        error instanceof Error ? error : new Error('The message bus sent something else.'),
      );
    }
  }

  #answer(message: Buffer): void {
    const { type, fields, body } = readMessage(message);
    if (type === SIGNAL) {
      const named = [FIELD.path, FIELD.interface, FIELD.member].map((field) =>
        textOf(fields.get(field) ?? ''),
      );
      this.#listeners.get(named.join(' '))?.(body);
    }
    if (type !== METHOD_RETURN && type !== ERROR) return;
    const serial = Number(fields.get(FIELD.replySerial));
    const waiting = this.#waiting.get(serial);
    if (waiting === undefined) return;
    this.#waiting.delete(serial);
    if (type === METHOD_RETURN) waiting.resolve(body);
    else
      waiting.reject(
        new BusError(textOf(fields.get(FIELD.errorName) ?? ''), typeof body[0] === 'string' ? body[0] : ''),
      );
  }
}

function messageOf(call: Call, serial: number): Buffer {
  const { destination, path, member, signature = '', body = [] } = call;
  const content = new Writer();
  let at = 0;
  for (const value of body) at = content.write(signature, at, value);
  const bytes = content.bytes;
  const fields: Value[] = [
    [FIELD.path, { signature: 'o', value: path }],
    [FIELD.interface, { signature: 's', value: call.interface }],
    [FIELD.member, { signature: 's', value: member }],
    [FIELD.destination, { signature: 's', value: destination }],
  ];
  if (signature !== '') fields.push([FIELD.signature, { signature: 'g', value: signature }]);
  const head = new Writer();
  head.raw(Buffer.from([0x6c, METHOD_CALL, 0, 1])); // little-endian, no flags, protocol 1
  head.write('u', 0, bytes.length);
  head.write('u', 0, serial);
  head.write('a(yv)', 0, fields);
  head.align(8);
  return Buffer.concat([head.bytes, bytes]);
}

function lengthOf(received: Buffer): number | null {
  if (received.length < 16) return null;
  if (received[0] !== 0x6c) throw new Error('The message bus speaks another byte order.');
  const fields = received.readUInt32LE(12);
  const length = Math.ceil((16 + fields) / 8) * 8 + received.readUInt32LE(4);
  if (length > LONGEST_MESSAGE) throw new Error('The message bus sent more than it may.');
  return length;
}

function readMessage(message: Buffer): { type: number; fields: Map<number, Value>; body: Value[] } {
  const reader = new Reader(message, 12);
  const fields = new Map<number, Value>();
  for (const field of reader.read('a(yv)', 0).value as Value[]) {
    const [code, variant] = field as [number, Variant];
    fields.set(code, variant.value);
  }
  reader.align(8);
  const signature = fields.get(FIELD.signature);
  const body: Value[] = [];
  if (typeof signature === 'string')
    for (let at = 0; at < signature.length; ) {
      const read = reader.read(signature, at);
      body.push(read.value);
      at = read.end;
    }
  return { type: message[1] ?? 0, fields, body };
}

/** Returns the end of the single complete type that begins at `at`. */
function endOf(signature: string, at: number): number {
  const code = signature[at];
  if (code === undefined) throw new Error('The message bus sent a signature that ends early.');
  if (code === 'a') return endOf(signature, at + 1);
  if (code !== '(' && code !== '{') return at + 1;
  const close = code === '(' ? ')' : '}';
  let end = at + 1;
  while (signature[end] !== close) end = endOf(signature, end);
  return end + 1;
}

function textOf(value: Value): string {
  if (typeof value !== 'string') throw new Error('A text was expected.');
  return value;
}

function alignmentOf(code: string | undefined): number {
  if (code === 'y' || code === 'g' || code === 'v') return 1;
  if (code === '(' || code === '{' || code === 't' || code === 'x' || code === 'd') return 8;
  return code === 'n' || code === 'q' ? 2 : 4;
}

class Writer {
  #parts: Buffer[] = [];
  #length = 0;

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  raw(part: Buffer): void {
    this.#parts.push(part);
    this.#length += part.length;
  }

  align(to: number): void {
    const missing = (to - (this.#length % to)) % to;
    if (missing > 0) this.raw(Buffer.alloc(missing));
  }

  /** Writes a value of the type at `at`; returns where the next type begins. */
  write(signature: string, at: number, value: Value): number {
    const code = signature[at];
    const end = endOf(signature, at);
    this.align(alignmentOf(code));
    if (code === 'y') this.raw(Buffer.from([Number(value)]));
    else if (code === 'b' || code === 'u') this.#uint32(Number(value));
    else if (code === 's' || code === 'o') {
      const text = Buffer.from(textOf(value), 'utf8');
      this.#uint32(text.length);
      this.raw(Buffer.concat([text, Buffer.alloc(1)]));
    } else if (code === 'g') {
      const text = Buffer.from(textOf(value), 'latin1');
      this.raw(Buffer.concat([Buffer.from([text.length]), text, Buffer.alloc(1)]));
    } else if (code === 'v') {
      const variant = value as Variant;
      this.write('g', 0, variant.signature);
      this.write(variant.signature, 0, variant.value);
    } else if (code === '(') {
      let inner = at + 1;
      for (const item of value as Value[]) inner = this.write(signature, inner, item);
    } else if (code === 'a') this.#array(signature, at + 1, value);
    else throw new Error(`The type ${code ?? ''} can't be sent.`);
    return end;
  }

  #array(signature: string, item: number, value: Value): void {
    if (Buffer.isBuffer(value)) {
      this.#uint32(value.length);
      this.raw(value);
      return;
    }
    const length = Buffer.alloc(4);
    this.raw(length);
    this.align(alignmentOf(signature[item]));
    const start = this.#length;
    if (value instanceof Map)
      for (const [key, one] of value) {
        this.align(8);
        this.write(signature, this.write(signature, item + 1, key), one);
      }
    else for (const one of value as Value[]) this.write(signature, item, one);
    length.writeUInt32LE(this.#length - start);
  }

  #uint32(value: number): void {
    const part = Buffer.alloc(4);
    part.writeUInt32LE(value);
    this.raw(part);
  }
}

class Reader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  align(to: number): void {
    this.#at = Math.ceil(this.#at / to) * to;
  }

  read(signature: string, at: number): { value: Value; end: number } {
    const code = signature[at];
    const end = endOf(signature, at);
    this.align(alignmentOf(code));
    switch (code) {
      case 'y':
        return { value: this.#bytes.readUInt8(this.#move(1)), end };
      case 'b':
        return { value: this.#bytes.readUInt32LE(this.#move(4)) !== 0, end };
      case 'n':
        return { value: this.#bytes.readInt16LE(this.#move(2)), end };
      case 'q':
        return { value: this.#bytes.readUInt16LE(this.#move(2)), end };
      case 'i':
        return { value: this.#bytes.readInt32LE(this.#move(4)), end };
      case 'u':
      case 'h':
        return { value: this.#bytes.readUInt32LE(this.#move(4)), end };
      case 't':
        return { value: Number(this.#bytes.readBigUInt64LE(this.#move(8))), end };
      case 'x':
        return { value: Number(this.#bytes.readBigInt64LE(this.#move(8))), end };
      case 'd':
        return { value: this.#bytes.readDoubleLE(this.#move(8)), end };
      case 's':
      case 'o': {
        const length = this.#bytes.readUInt32LE(this.#move(4));
        return { value: this.#text(length), end };
      }
      case 'g':
        return { value: this.#text(this.#bytes.readUInt8(this.#move(1))), end };
      case 'v': {
        const inner = this.#text(this.#bytes.readUInt8(this.#move(1)));
        return { value: { signature: inner, value: this.read(inner, 0).value }, end };
      }
      case '(': {
        const items: Value[] = [];
        for (let inner = at + 1; signature[inner] !== ')'; ) {
          const read = this.read(signature, inner);
          items.push(read.value);
          inner = read.end;
        }
        return { value: items, end };
      }
      case 'a':
        return { value: this.#array(signature, at + 1), end };
      default:
        throw new Error('The message bus sent a type that is not known.');
    }
  }

  #array(signature: string, item: number): Value {
    const length = this.#bytes.readUInt32LE(this.#move(4));
    this.align(alignmentOf(signature[item]));
    const stop = this.#at + length;
    if (stop > this.#bytes.length) throw new Error('The message bus sent an array that ends early.');
    if (signature[item] === 'y') return Buffer.from(this.#bytes.subarray(this.#move(length), stop));
    if (signature[item] === '{') {
      const map = new Map<Value, Value>();
      while (this.#at < stop) {
        this.align(8);
        const key = this.read(signature, item + 1);
        map.set(key.value, this.read(signature, key.end).value);
      }
      return map;
    }
    const items: Value[] = [];
    while (this.#at < stop) items.push(this.read(signature, item).value);
    return items;
  }

  #text(length: number): string {
    const start = this.#move(length + 1);
    return this.#bytes.toString('utf8', start, start + length);
  }

  #move(by: number): number {
    const at = this.#at;
    this.#at += by;
    if (this.#at > this.#bytes.length) throw new Error('The message bus sent a message that ends early.');
    return at;
  }
}
