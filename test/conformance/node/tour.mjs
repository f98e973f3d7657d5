// One tour through what an MCP server offers, for every client of the TypeScript SDK. Each step is a line on stdout:
// what came back, or how the client told that nothing did. The lines say nothing that differs from run to run.
//
//   MCP_URL    the server's endpoint
//   MCP_TOKEN  the bearer token; none is sent if it is empty
const url = new URL(process.env.MCP_URL);
const headers = process.env.MCP_TOKEN ? { Authorization: `Bearer ${process.env.MCP_TOKEN}` } : {};
const patience = { timeout: 20_000 };

// tour takes a client on its way. make gives the client, its transport, and what is spelled differently in the SDK's
// two lines: callTool(params, options), and how to answer the server's requests and listen to its log.
export async function tour(make) {
  const { client, transport, callTool, onSampling, onElicitation, onLog } = make({
    info: { name: 'gatehouse-tour', version: '1' },
    options: { capabilities: { sampling: {}, elicitation: {} } },
    url,
    headers,
  });
  const logged = [];
  onSampling(() => ({ model: 'none', role: 'assistant', content: { type: 'text', text: 'sampled' } }));
  onElicitation(() => ({ action: 'accept', content: { username: 'guest', name: 'guest' } }));
  onLog((notification) => { logged.push(notification.params); });

  const connected = await step('connect', async () => {
    await client.connect(transport, patience);
    return [client.getServerVersion(), client.getServerCapabilities()];
  });
  if (!connected) process.exit(1);
  await visitTools(client, callTool, logged);
  await visitRest(client);
  await leave(client, transport);
}

async function visitTools(client, callTool, logged) {
  const call = (name, args = {}, options = {}) => callTool({ name, arguments: args }, { ...patience, ...options });
  await step('tools/list', async () => (await client.listTools()).tools.map((tool) => tool.name));
  await step('tools/call', () => call('test_simple_text'));
  await step('tools/call of no tool', () => call('no_such_tool'));
  await step('tools/call with progress', async () => {
    const progress = [];
    await call('test_tool_with_progress', {}, { onprogress: (p) => progress.push(p) });
    return progress;
  });
  await step('logging/setLevel', () => client.setLoggingLevel('debug'));
  await step('tools/call with log', async () => [await call('test_tool_with_logging'), logged]);
  await step('tools/call that samples', () => call('test_sampling', { prompt: 'say something' }));
  await step('tools/call that elicits', () => call('test_elicitation', { message: 'who are you?' }));
  await step('tools/call that needs input', () => call('test_input_required_result_elicitation'));
}

async function visitRest(client) {
  const watched = { uri: 'test://watched-resource' };
  const prompt = { name: 'test_prompt_with_arguments', arguments: { arg1: 'a', arg2: 'b' } };
  await step('resources/list', async () => (await client.listResources()).resources.map((resource) => resource.uri));
  await step('resources/read', () => client.readResource({ uri: 'test://static-text' }));
  await step('resources/subscribe', () => client.subscribeResource(watched));
  await step('resources/unsubscribe', () => client.unsubscribeResource(watched));
  await step('prompts/list', async () => (await client.listPrompts()).prompts.map((prompt) => prompt.name));
  await step('prompts/get', () => client.getPrompt(prompt));
}

// leave ends the session, and then asks with its id whether it is over for the server, too.
async function leave(client, transport) {
  const session = transport.sessionId;
  await step('DELETE', async () => {
    await transport.terminateSession();
    if (session === undefined) return 'there was no session';
    const answer = await fetch(url, {
      method: 'POST',
      headers: {
        ...headers,
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
        'Mcp-Session-Id': session,
      },
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
    });
    return `its id is answered ${answer.status} now`;
  });
  await client.close();
}

// step tells how it went, and whether well.
async function step(name, act) {
  try {
    console.log(`${name}: ${JSON.stringify(await act())}`);
    return true;
  } catch (error) {
    // Some errors keep what the server said beside their message.
    const said = error.data?.text;
    console.log(`${name}: FAILED: ${error.message}${said ? ` ${JSON.stringify(said)}` : ''}`);
    return false;
  }
}
