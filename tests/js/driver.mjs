// Drives @swim/client by requests that are plain objects, in Node.js and in a page alike.
//
// A request is {id, do, ...}; each gets one answer {id, result} or {id, error}.  What a downlink hears is told as {name, heard, ...}.
// Values go over as Recon text, so that nothing is lost on the way.

/**
 * @param swim  the modules of SwimOS: client, recon and structure
 * @param tell  takes one plain object
 */
export function makeDriver(swim, tell) {
  const client = new swim.client.WarpClient();
  client.mount();
  const links = new Map();

  const write = (value) => swim.recon.Recon.toString(swim.structure.Value.fromLike(value));
  const read = (text) => (text === "" ? swim.structure.Value.absent() : swim.recon.Recon.parse(text));

  function open(request) {
    const hear = (heard, more) => tell({ name: request.name, heard, ...more });
    const plan = {
      consumed: true,
      hostUri: request.host,
      nodeUri: request.node,
      laneUri: request.lane,
      didLink() { hear("linked"); },
      didSync() { hear("synced"); },
      didUnlink() { hear("unlinked"); },
      didConnect() { hear("connected"); },
      didDisconnect() { hear("disconnected"); },
      didClose() { hear("closed"); },
      didFail(error) { hear("failed", { error: String(error) }); },
    };
    if (request.kind === "event") {
      plan.onEvent = (body) => hear("event", { value: write(body) });
      return client.downlink(plan).open();
    }
    if (request.kind === "value") {
      plan.didSet = (value) => hear("set", { value: write(value) });
      return client.downlinkValue(plan).open();
    }
    if (request.kind === "map") {
      plan.didUpdate = (key, value) => hear("updated", { key: write(key), value: write(value) });
      plan.didRemove = (key) => hear("removed", { key: write(key) });
      plan.didClear = () => hear("cleared");
      return client.downlinkMap(plan).open();
    }
    plan.didUpdate = (index, value) => hear("updated", { key: String(index), value: write(value) });
    plan.didRemove = (index) => hear("removed", { key: String(index) });
    plan.didMove = (from, to) => hear("moved", { key: `${from} ${to}` });
    plan.didClear = () => hear("cleared");
    return client.downlinkList(plan).open();
  }

  function state(request) {
    const link = links.get(request.name);
    if (request.kind === "value") {
      return write(link.get());
    }
    const entries = [];
    if (request.kind === "map") {
      link.forEach((value, key) => { entries.push([write(key), write(value)]); });
    } else {
      link.forEach((value) => { entries.push(write(value)); });
    }
    return entries;
  }

  const actions = {
    open(request) { links.set(request.name, open(request)); },
    close(request) {
      links.get(request.name)?.close();
      links.delete(request.name);
    },
    state,
    facts(request) {
      const link = links.get(request.name);
      return { linked: link.linked, synced: link.synced, connected: link.connected };
    },
    command(request) { client.command(request.host, request.node, request.lane, read(request.value)); },
    authenticate(request) { client.authenticate(request.host, read(request.value)); },
    set(request) { links.get(request.name).set(read(request.value)); },
    put(request) { links.get(request.name).set(read(request.key), read(request.value)); },
    remove(request) { links.get(request.name).delete(read(request.key)); },
    clear(request) { links.get(request.name).clear(); },
    push(request) { links.get(request.name).push(read(request.value)); },
    insert(request) { links.get(request.name).insert(request.index, read(request.value)); },
    replace(request) { links.get(request.name).set(request.index, read(request.value)); },
    move(request) { links.get(request.name).move(request.index, request.to); },
    cut(request) { links.get(request.name).remove(request.index); },
  };

  return function handle(request) {
    try {
      tell({ id: request.id, result: actions[request.do](request) ?? null });
    } catch (error) {
      tell({ id: request.id, error: String(error && error.stack ? error.stack : error) });
    }
  };
}
