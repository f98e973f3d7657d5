// The TypeScript SDK's client of the first line, against the everything-server of the Go SDK at MCP_URL.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema, ElicitRequestSchema, LoggingMessageNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { tour } from './tour.mjs';

await tour(({ info, options, headers, url }) => {
  const client = new Client(info, options);
  const transport = new StreamableHTTPClientTransport(url, { requestInit: { headers } });
  return {
    client,
    transport,
    callTool: (params, options) => client.callTool(params, undefined, options),
    onSampling: (answer) => client.setRequestHandler(CreateMessageRequestSchema, answer),
    onElicitation: (answer) => client.setRequestHandler(ElicitRequestSchema, answer),
    onLog: (take) => client.setNotificationHandler(LoggingMessageNotificationSchema, take),
  };
});
