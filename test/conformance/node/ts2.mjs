// The TypeScript SDK's client of the second line, against the everything-server of the Go SDK at MCP_URL. It asks the
// server which revision of the protocol it speaks, so it takes the tour by sessions or without.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { tour } from './tour.mjs';

await tour(({ info, options, headers, url }) => {
  const client = new Client(info, { ...options, versionNegotiation: { mode: 'auto' } });
  const transport = new StreamableHTTPClientTransport(url, { requestInit: { headers } });
  return {
    client,
    transport,
    callTool: (params, options) => client.callTool(params, options),
    onSampling: (answer) => client.setRequestHandler('sampling/createMessage', answer),
    onElicitation: (answer) => client.setRequestHandler('elicitation/create', answer),
    onLog: (take) => client.setNotificationHandler('notifications/message', take),
  };
});
