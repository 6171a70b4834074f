// What both ends share: the service of original.proto, certificates, and a line of JSON per event and per command.
'use strict';

const fs = require('fs');
const path = require('path');
const readline = require('readline');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

const definition = protoLoader.loadSync(path.join(__dirname, 'original.proto'), {
  keepCase: true,
  longs: Number,
  oneofs: true,
  includeDirs: [__dirname],
});

exports.grpc = grpc;
exports.Whip = grpc.loadPackageDefinition(definition).v1.Whip;

/** The arguments after the script: --name value. */
exports.flags = () => {
  const flags = {};
  for (let i = 2; i + 1 < process.argv.length; i += 2) {
    flags[process.argv[i].replace(/^--/, '')] = process.argv[i + 1];
  }
  return flags;
};

exports.read = (file) => fs.readFileSync(file);

exports.emit = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

/** Runs `handle` on each command; the end of standard input ends the process. */
exports.commands = (handle) => {
  const lines = readline.createInterface({ input: process.stdin });
  lines.on('line', (line) => handle(JSON.parse(line)));
  lines.on('close', () => process.exit(0));
};

/** Emits what arrives on either end of a stream. */
exports.watch = (stream) => {
  stream.on('data', (message) => exports.emit({ event: 'message', message }));
  stream.on('end', () => exports.emit({ event: 'end' }));
};
