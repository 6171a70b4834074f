// A broker that pings every few milliseconds with messages, and counts the PING frames that come back in 100 answers.
'use strict';

const http2 = require('http2');

const ping = Buffer.from([0, 0, 0, 0, 4, 0x12, 2, 0x08, 1]);
const emit = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const server = http2.createServer();
let pings = 0;

server.on('session', (session) => session.on('ping', () => { pings++; }));
server.on('stream', (stream) => {
  let answers = 0;
  stream.on('error', () => {});
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
  stream.write(ping);
  stream.on('data', () => {
    if (++answers === 100) {
      emit({ event: 'counted', pings });
    }
    setTimeout(() => stream.destroyed || stream.write(ping), 5);
  });
});
server.listen(0, '127.0.0.1', () => emit({ event: 'listening', port: server.address().port }));
process.stdin.on('end', () => process.exit(0)).resume();
