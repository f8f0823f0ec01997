// Commands a counter by HTTP and waits for the commit: node command.mjs; in a page the address is "" and this works as it is.
// part: command
const host = "http://127.0.0.1:9001";

const answer = await fetch(`${host}/counter/apples?lane=add`, {
  method: "POST",
  headers: { "content-type": "application/json", "idempotency-key": crypto.randomUUID() },
  body: JSON.stringify(3),
});
if (!answer.ok) throw new Error((await answer.json()).message);

const total = await (await fetch(`${host}/counter/apples?lane=total`)).json();
console.log("total", total);
// end: command
