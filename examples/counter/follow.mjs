// Follows a counter with SwimOS's own client: node follow.mjs
// part: follow
import * as swim from "@swim/client";

const host = "warp://127.0.0.1:9001";
const client = new swim.WarpClient();
client.mount();

const total = client.downlinkValue({
  hostUri: host,
  nodeUri: "/counter/apples",
  laneUri: "total",
  didSet(value) {
    console.log("total", value.numberValue(0));
    if (value.numberValue(0) === 7) process.exit();
  },
});
total.open();

setTimeout(() => client.command(host, "/counter/apples", "add", 4), 500);
// end: follow
