/**
 * Where nobody answers. Not a port that was free a moment ago: the system gives that to the next server that asks for one. And none
 * that `fetch` refuses to call (https://fetch.spec.whatwg.org/#port-blocking).
 */
export const nobody = "http://127.0.0.1:2";
