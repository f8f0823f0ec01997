// Figures and times in words.

export function when(seconds) {
  return seconds ? new Date(seconds * 1000).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }) : "";
}

export function size(bytes) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let at = 0;
  let figure = bytes ?? 0;
  for (; figure >= 1000 && at < units.length - 1; at++) figure /= 1000;
  return `${figure.toFixed(at && figure < 10 ? 1 : 0)} ${units[at]}`;
}

export function span(seconds) {
  if (!(seconds > 0)) return "0 s";
  if (seconds < 90) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  return seconds < 5400 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

export function trouble(error) {
  return `${error.code ?? ""} ${error.message}`.trim();
}

export function zone() {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

export function chance(bytes = 8) {
  return [...crypto.getRandomValues(new Uint8Array(bytes))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
