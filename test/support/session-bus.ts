/** A fake session bus, which answers method calls with bytes of the D-Bus protocol (D-Bus Specification, Message Protocol). */
import { createServer, type Socket } from 'node:net';

export interface SessionBus {
  readonly env: { readonly DBUS_SESSION_BUS_ADDRESS: string };
  /** The members that were called, in order. */
  readonly called: readonly string[];
  close(): Promise<void>;
}

/** A message body: its signature and its bytes. */
export type Body = readonly [signature: string, bytes: Buffer];

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
/** Encodes a string or an object path. */
export const text = (value: string): Buffer =>
  Buffer.concat([uint32(Buffer.byteLength(value)), Buffer.from(`${value}\0`)]);
export const padded = (bytes: Buffer, to: number): Buffer =>
  Buffer.concat([bytes, Buffer.alloc((to - (bytes.length % to)) % to)]);

export interface BusSignal {
  readonly path: string;
  readonly of: string;
  readonly member: string;
  readonly body: Body;
}

/**
 * @param path of its socket
 * @param answer to a call of a member; a signal may follow it
 */
export async function sessionBus(
  path: string,
  answer: (member: string) => { readonly body: Body; readonly signal?: BusSignal },
): Promise<SessionBus> {
  const called: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let isGreeted = false;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      if (!isGreeted) {
        isGreeted = true;
        socket.write('OK 0123\r\n');
        return;
      }
      const begin = chunk.indexOf('BEGIN\r\n');
      let rest = begin >= 0 ? chunk.subarray(begin + 7) : chunk;
      while (rest.length >= 16) {
        const length = Math.ceil((16 + rest.readUInt32LE(12)) / 8) * 8 + rest.readUInt32LE(4);
        const message = rest.subarray(0, length);
        rest = rest.subarray(length);
        const member = memberOf(message);
        called.push(member);
        const { body, signal } = answer(member);
        socket.write(reply(message.readUInt32LE(8), body));
        if (signal !== undefined) socket.write(signalled(signal));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    env: { DBUS_SESSION_BUS_ADDRESS: `unix:path=${path}` },
    called,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Finds the string after the header field MEMBER: its code, and the signature of a string. */
function memberOf(message: Buffer): string {
  const at = message.indexOf(Buffer.from([3, 1, 's'.charCodeAt(0), 0])) + 4;
  return message.toString('utf8', at + 4, at + 4 + message.readUInt32LE(at));
}

/** Encodes a header field. Each begins on a boundary of eight bytes. */
const field = (code: number, type: string, value: Buffer): Buffer =>
  Buffer.concat([Buffer.from([code, 1, type.charCodeAt(0), 0]), value]);
const signatureField = (signature: string): Buffer =>
  field(8, 'g', Buffer.from([signature.length, ...Buffer.from(signature), 0]));

function message(type: number, fields: readonly Buffer[], [signature, body]: Body): Buffer {
  const all = Buffer.concat([...fields.map((one) => padded(one, 8)), signatureField(signature)]);
  const head = [Buffer.from([0x6c, type, 1, 1]), uint32(body.length), uint32(7), uint32(all.length), all];
  return Buffer.concat([padded(Buffer.concat(head), 8), body]);
}

const reply = (serial: number, body: Body): Buffer => message(2, [field(5, 'u', uint32(serial))], body);
const signalled = ({ path, of, member, body }: BusSignal): Buffer =>
  message(4, [field(1, 'o', text(path)), field(2, 's', text(of)), field(3, 's', text(member))], body);
