import { describe, expect, test } from "vitest";
import { discovered, fleet } from "../worlds/fleet.js";
import { httpOf, type Reply } from "../worlds/http.js";

const codeOf = ({ status, body }: Reply) => `${status} ${(body as { error: { code: string } }).error.code}`;

describe("POST roster/discover and roster/release", () => {
  test("discover sends the message that starts a pass, and the pass comes of it", async () => {
    const world = await discovered();
    const http = httpOf(world);
    const [arrived = ""] = world.graph.mailboxes.add(1);
    expect(await http.roster("discover")).toMatchObject({ status: 202, body: { source: "directory", state: "idle" } });
    const [message] = http.sent;
    if (message === undefined || !("discover" in message)) throw new Error("Nothing was sent.");
    await world.discoverOnce(message.discover);
    expect((await world.states()).get(arrived)).toBe("new");
  });

  test("release is 409 while nothing is held, and an action that there is not is 404", async () => {
    const http = httpOf(await discovered({ mailboxes: 3 }));
    expect(codeOf(await http.roster("release"))).toBe("409 conflict");
    expect(codeOf(await http.roster("forget"))).toBe("404 itemNotFound");
  });

  test("both are 409 for a roster that is kept by hand", async () => {
    const world = fleet({ source: null });
    await world.store.open();
    for (const action of ["discover", "release"]) {
      expect(codeOf(await httpOf(world, null).roster(action))).toBe("409 conflict");
    }
  });
});
