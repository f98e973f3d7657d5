// Preloaded into a program that knows nothing of tokens, this gives each of its requests to one origin a bearer token:
// node --import ./bearer.mjs PROGRAM. GATE_ORIGIN is that origin, GATE_TOKEN the token.
import { subscribe } from 'node:diagnostics_channel';

const { GATE_ORIGIN: origin, GATE_TOKEN: token } = process.env;
const value = `Bearer ${token}`;

// fetch, and undici from npm in any version: all announce their requests here before they send them.
subscribe('undici:request:create', ({ request }) => {
  if (new URL(request.origin).origin === origin) request.addHeader('authorization', value);
});

subscribe('http.client.request.created', ({ request }) => {
  if (`${request.protocol}//${request.getHeader('host')}` === origin) request.setHeader('authorization', value);
});
