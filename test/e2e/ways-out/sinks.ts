/** Listeners on this computer for whatever leaves a page: TCP, UDP, and questions for names on the local network (mDNS). */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

/** Names that the attacks look up contain this mark. */
export const MARK = 'exfil';
const MDNS = { address: '224.0.0.251', port: 5353 };

export interface Sinks {
  /** Lengths of the packets that arrived by UDP. */
  packets: number[];
  /** What arrived by TCP. */
  connections: string[];
  /** Marked names that were looked up on the local network. */
  questions: string[];
  ports: { udp: number; tcp: number };
  /** Sends something to each sink and rejects if it did not arrive: a sink that receives nothing proves nothing. */
  prove(): Promise<void>;
  close(): void;
}

export async function sinks(): Promise<Sinks> {
  const packets: number[] = [];
  const udp = createSocket('udp4');
  udp.on('message', (message) => packets.push(message.length));
  udp.bind(0, '127.0.0.1');
  await once(udp, 'listening');
  const connections: string[] = [];
  const tcp = createServer((socket) => {
    connections.push('connected');
    socket.on('data', (data) => connections.push(data.toString('latin1').slice(0, 80)));
    socket.on('error', () => undefined);
  });
  await once(tcp.listen(0, '127.0.0.1'), 'listening');
  const questions: string[] = [];
  const names = await multicast((message) => {
    const text = message.toString('latin1');
    if (text.includes(MARK)) questions.push(text.replaceAll(/[^\w-]+/g, '.'));
  });
  const ports = { udp: udp.address().port, tcp: (tcp.address() as AddressInfo).port };
  return {
    packets,
    connections,
    questions,
    ports,
    async prove() {
      const from = createSocket('udp4');
      from.send('x', ports.udp, '127.0.0.1');
      names?.send(`${MARK}-probe`, MDNS.port, MDNS.address);
      const socket = connect(ports.tcp, '127.0.0.1');
      const arrived = (): boolean =>
        packets.length > 0 && connections.length > 0 && (names === null || questions.length > 0);
      for (let left = 200; !arrived(); left--) {
        if (left === 0) throw new Error('A sink does not hear what is sent to it.');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      from.close();
      socket.destroy();
      for (const heard of [packets, connections, questions]) heard.length = 0;
    },
    close() {
      udp.close();
      tcp.close();
      names?.close();
    },
  };
}

/** Listens beside others on the port of mDNS; null if the machine has no multicast. */
async function multicast(onMessage: (message: Buffer) => void): Promise<Socket | null> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  try {
    socket.bind(MDNS.port);
    await once(socket, 'listening');
    socket.addMembership(MDNS.address);
    socket.setMulticastLoopback(true);
  } catch {
    socket.close();
    return null;
  }
  socket.on('message', onMessage);
  return socket;
}
