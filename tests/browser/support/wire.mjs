// What a browser really sends, and is answered, as a proxy between the two sees it.
import http from "node:http";

/** A proxy that notes down every request line with its headers, every body by its path, and the headers of every answer. */
export class Wire {
  heads = [];
  bodies = [];
  #server = http.createServer((asked, answer) => this.#pass(asked, answer));

  static async open() {
    const wire = new Wire();
    await new Promise((open) => wire.#server.listen(0, "127.0.0.1", open));
    return wire;
  }

  /** As Playwright wants to know it; browsers leave loopback out unless told so. */
  get proxy() {
    return { server: `http://127.0.0.1:${this.#server.address().port}`, bypass: "<-loopback>" };
  }

  close() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #pass(asked, answer) {
    const { method, url, headers } = asked;
    this.heads.push([`${method} ${url}`, ...asked.rawHeaders].join("\n"));
    const chunks = [];
    asked.on("data", (chunk) => chunks.push(chunk));
    asked.on("end", () => this.bodies.push([new URL(url).pathname, Buffer.concat(chunks).toString()]));
    const passed = http.request(url, { method, headers }, (answered) => {
      this.heads.push(answered.rawHeaders.join("\n"));
      answer.writeHead(answered.statusCode, answered.rawHeaders);
      answered.pipe(answer);
    });
    passed.on("error", () => answer.destroy());
    answer.on("close", () => passed.destroy());
    asked.pipe(passed);
  }
}
