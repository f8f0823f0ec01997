// Recon, as far as a page needs it: reads what natant sends, writes plain values.
//
// A record of slots becomes an object, a record of items an array; attributes come back apart (see `read`).
// Text, numbers and true/false are themselves; an empty value is null.

const SPACE = /[ \t\r\n]/;
const WORD = /[\p{L}_][\p{L}\p{N}_-]*/uy;
const NUMBER = /-?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/y;
const DATA = /%[A-Za-z0-9+/]*={0,2}/y;
const ESCAPES = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  skip(separators = false) {
    while (this.at < this.text.length) {
      const c = this.text[this.at];
      if (!SPACE.test(c) && !(separators && (c === "," || c === ";"))) break;
      this.at++;
    }
  }

  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (!found) throw new SyntaxError(`Recon: nothing fits at ${this.at} of ${this.text.slice(0, 80)}`);
    this.at += found[0].length;
    return found[0];
  }

  quoted() {
    let out = "";
    for (this.at++; this.at < this.text.length; this.at++) {
      const c = this.text[this.at];
      if (c === '"') {
        this.at++;
        return out;
      }
      if (c !== "\\") {
        out += c;
        continue;
      }
      const escape = this.text[++this.at];
      if (escape === "u") {
        out += String.fromCharCode(parseInt(this.text.slice(this.at + 1, this.at + 5), 16));
        this.at += 4;
      } else out += ESCAPES[escape] ?? escape;
    }
    throw new SyntaxError("Recon: a text without its end");
  }

  // Attributes, then a body: {attrs: [[name, argument], ...], body}.
  expression() {
    const attrs = [];
    this.skip();
    while (this.text[this.at] === "@") {
      this.at++;
      const name = this.text[this.at] === '"' ? this.quoted() : this.match(WORD);
      let argument = null;
      if (this.text[this.at] === "(") argument = this.block(")");
      attrs.push([name, argument]);
      this.skip();
    }
    const c = this.text[this.at];
    let body = null;
    if (c === "{") body = this.block("}");
    else if (c === '"') body = this.quoted();
    else if (c === "%") body = this.match(DATA);
    else if (c === "-" || (c >= "0" && c <= "9")) body = Number(this.match(NUMBER));
    else if (c !== undefined && !")},;:".includes(c)) {
      const word = this.match(WORD);
      body = word === "true" ? true : word === "false" ? false : word;
    }
    return { attrs, body };
  }

  value() {
    const { attrs, body } = this.expression();
    return attrs.length ? { attrs, body } : body;
  }

  block(end) {
    const slots = {};
    const items = [];
    let named = false;
    this.at++;
    for (;;) {
      this.skip(true);
      if (this.at >= this.text.length) throw new SyntaxError("Recon: a block without its end");
      if (this.text[this.at] === end) break;
      const item = this.value();
      this.skip();
      if (this.text[this.at] === ":") {
        this.at++;
        named = true;
        slots[item] = this.value();
      } else items.push(item);
    }
    this.at++;
    if (named) return slots;
    return end === ")" && items.length === 1 ? items[0] : items;
  }
}

// The attributes and the body of a text, for example `@update(key:a){x:1}`.
export function read(text) {
  return new Reader(text).expression();
}

// A plain value as Recon.
export function write(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
  if (typeof value === "string") return text(value);
  if (Array.isArray(value)) return `{${value.map(write).join(",")}}`;
  const slots = Object.entries(value).map(([name, part]) => `${text(name)}:${write(part)}`);
  return `{${slots.join(",")}}`;
}

function text(value) {
  if (/^[\p{L}_][\p{L}\p{N}_-]*$/u.test(value) && value !== "true" && value !== "false") return value;
  return JSON.stringify(value);
}
