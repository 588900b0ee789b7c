// The WebSocket: signs in, follows rooms, comes back by itself after a break and asks for what was missed.

const PING_EVERY = 20000; // ms; a line that carries nothing for that long is asked whether it lives
const DEAD_AFTER = 8000; // ms without an answer to that
const FIRST_WAIT = 400; // ms until the first try to come back; the next ones wait longer, each a random time
const LONGEST_WAIT = 15000;
const Close = { NOT_SIGNED_IN: 4401, CHANGED: 4409, TOO_MANY: 4429 };

export class Line {
  /** `on`: {frame(frame), up(), down(), signedOut(), changed()}. */
  constructor(token, on) {
    this.token = token;
    this.on = on;
    this.rooms = new Map(); // id → a function that gives the last number we have, or null for "from now on"
    this.answers = new Map();
    this.number = 0;
    this.tries = 0;
    this.ready = false;
    this.ended = false;
    addEventListener("offline", () => this.drop());
    addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry());
    this.open();
  }

  /** Hear of a room from now until `unfollow`; `last()` gives the number after which to begin. */
  follow(room, last) {
    this.rooms.set(room, last);
    if (this.ready) this.subscribe(room);
  }

  /** Ask again for what came after the last number. */
  subscribe(room) {
    const after = this.rooms.get(room)();
    this.send(after === null ? { type: "subscribe", room } : { type: "subscribe", room, after });
  }

  send(frame) {
    if (this.ready) this.socket.send(JSON.stringify(frame));
    return this.ready;
  }

  /** Send and wait for the answer with the same id. Throws the server's refusal, or null when the line broke. */
  ask(frame) {
    const id = String(++this.number);
    return new Promise((resolve, reject) => {
      this.answers.set(id, { resolve, reject });
      if (!this.send({ ...frame, id })) {
        this.answers.delete(id);
        reject(null);
      }
    });
  }

  end() {
    this.ended = true;
    this.drop();
  }

  open() {
    clearTimeout(this.again);
    if (this.ended || this.socket) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/api/v1/ws`);
    this.socket = socket;
    socket.onopen = () => socket.send(JSON.stringify({ type: "sign_in", token: this.token }));
    socket.onmessage = (event) => this.socket === socket && this.hear(JSON.parse(event.data));
    socket.onclose = (event) => this.socket === socket && this.closed(event.code);
    this.watch(DEAD_AFTER);
  }

  hear(frame) {
    this.watch(PING_EVERY);
    if (frame.type === "welcome") {
      this.ready = true;
      this.tries = 0;
      for (const room of this.rooms.keys()) this.subscribe(room);
      this.on.up();
      return;
    }
    const waiting = frame.id && this.answers.get(frame.id);
    if (waiting) {
      this.answers.delete(frame.id);
      if (frame.type === "error") waiting.reject(frame.error);
      else waiting.resolve(frame);
    }
    this.on.frame(frame);
  }

  /** If nothing is heard for this long: ask; if still nothing, the line is dead. */
  watch(patience) {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      if (!this.send({ type: "ping" })) this.drop();
      else this.silence = setTimeout(() => this.drop(), DEAD_AFTER);
    }, patience);
  }

  drop() {
    const socket = this.socket;
    if (!socket) return;
    this.closed(0);
    socket.close();
  }

  closed(code) {
    clearTimeout(this.silence);
    this.socket = null;
    this.ready = false;
    for (const { reject } of this.answers.values()) reject(null);
    this.answers.clear();
    if (this.ended) return;
    if (code === Close.NOT_SIGNED_IN) {
      this.ended = true;
      this.on.signedOut();
      return;
    }
    this.on.down();
    if (code === Close.CHANGED) this.on.changed();
    const longest = code === Close.TOO_MANY ? LONGEST_WAIT : Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.tries++);
    this.again = setTimeout(() => this.open(), longest * (0.5 + Math.random() / 2));
  }

  /** The network is back, or the person looks again: do not wait any longer. */
  hurry() {
    if (!this.socket) this.open();
  }
}
