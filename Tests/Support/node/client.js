// An agent that is not ours: --address HOST:PORT [--ca FILE --cert FILE --key FILE] [--deadline MILLISECONDS]
'use strict';

const { grpc, Whip, flags, read, emit, commands, watch } = require('./peer');

const { address, ca, cert, key, deadline } = flags();
const credentials = ca
  ? grpc.credentials.createSsl(read(ca), read(key), read(cert))
  : grpc.credentials.createInsecure();
const client = new Whip(address, credentials);
const call = client.Register(deadline ? { deadline: Date.now() + Number(deadline) } : {});

watch(call);
call.on('metadata', () => emit({ event: 'open' }));
call.on('error', () => {});
call.on('status', ({ code, details }) => emit({ event: 'status', code, details }));

commands((command) => {
  if (command.write) {
    call.write(command.write);
  } else if (command.end) {
    call.end();
  } else if (command.cancel) {
    call.cancel();
  } else if (command.pause) {
    call.pause();
  }
});
