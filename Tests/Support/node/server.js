// A broker that is not ours: [--ca FILE --cert FILE --key FILE]; it listens on a free port of 127.0.0.1 and serves one call at a time.
'use strict';

const { grpc, Whip, flags, read, emit, commands, watch } = require('./peer');

const { ca, cert, key } = flags();
const credentials = ca
  ? grpc.ServerCredentials.createSsl(read(ca), [{ private_key: read(key), cert_chain: read(cert) }], true)
  : grpc.ServerCredentials.createInsecure();
const server = new grpc.Server();
let call;

server.addService(Whip.service, {
  Register(stream) {
    call = stream;
    watch(stream);
    stream.on('cancelled', () => emit({ event: 'cancelled' }));
    stream.on('error', () => {});
    emit({ event: 'call' });
  },
});
server.bindAsync('127.0.0.1:0', credentials, (error, port) => {
  if (error) {
    throw error;
  }
  emit({ event: 'listening', port });
});

commands((command) => {
  if (command.write) {
    call.write(command.write);
  } else if (command.status) {
    call.emit('error', command.status);
  } else if (command.end) {
    call.end();
  } else if (command.pause) {
    call.pause();
  } else if (command.shutdown) {
    server.tryShutdown(() => emit({ event: 'shutdown' }));
  }
});
