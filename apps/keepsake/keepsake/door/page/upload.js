// Uploads by tus 1.0: a part at a time, going on where the service says after a break.

const PART = 1024 * 1024;
const TRIES = 8;
const TUS = { "tus-resumable": "1.0.0" };

function pair(name, text) {
  const bytes = new TextEncoder().encode(text);
  return `${name} ${btoa(String.fromCharCode(...bytes))}`;
}

export async function upload(host, person, file, me, tell) {
  const metadata = [pair("filename", file.name), pair("zone", Intl.DateTimeFormat().resolvedOptions().timeZone)];
  if (me) metadata.push(pair("me", me));
  const headers = { ...TUS, "upload-length": String(file.size), "upload-metadata": metadata.join(",") };
  const made = await host.fetch(`/upload/${person}`, { method: "POST", headers });
  const path = made.headers.get("location");
  let offset = 0;
  let failures = 0;
  while (offset < file.size) {
    try {
      const part = { ...TUS, "content-type": "application/offset+octet-stream", "upload-offset": String(offset) };
      const answer = await host.fetch(path, { method: "PATCH", headers: part, body: file.slice(offset, offset + PART) });
      offset = Number(answer.headers.get("upload-offset"));
      failures = 0;
    } catch (error) {
      if (++failures >= TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, 300 * 2 ** failures));
      const answer = await host.fetch(path, { method: "HEAD", headers: TUS }).catch(() => null);
      if (answer) offset = Number(answer.headers.get("upload-offset"));
    }
    tell({ offset, size: file.size, state: "open", note: "" });
  }
  for (;;) {
    const about = await host.json(path);
    tell({ offset, size: file.size, state: about.state, note: about.note });
    if (about.state !== "waiting" && about.state !== "open") return about;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
