// An app's way with the generated client and tus-js-client: a key, an upload that breaks, a report, its answer.
// The last line of its output is what the test looks at.
import { readFileSync } from "node:fs";
import { Upload } from "tus-js-client";
import { satuPintu, type Schemas } from "./client.js";

const [hub, brittle, photo, officerKey] = process.argv.slice(2);
if (!hub || !brittle || !photo || !officerKey) throw new Error("four words are needed");

function must<T>(answer: { data?: T; error?: Schemas["ProblemDetails"] | undefined }): T {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
}

const device = must(await satuPintu(hub).POST("/api/v1/devices", { params: { query: { account: "aplikasi" } } }));
const app = satuPintu(hub, device.key);

const upload = await new Promise<Upload>((done, failed) => {
  const upload: Upload = new Upload(readFileSync(photo), {
    endpoint: `${brittle}/api/v1/uploads`,
    headers: { Authorization: `Bearer ${device.key}` },
    metadata: { filename: "lubang.jpg" },
    retryDelays: [50, 50, 50, 50, 50],
    onError: failed,
    onSuccess: () => done(upload),
  });
  upload.start();
});

const wrong = await app.POST("/api/v1/reports", { body: { text: "Jalan berlubang", place: { code: "99.99" } } });
const report: Schemas["ReportInput"] = {
  text: "Jalan berlubang di depan sekolah, dua motor sudah jatuh",
  place: { words: "Jalan Riau, Bandung" },
  uploads: [upload.url ?? ""],
};
const accepted = must(
  await app.POST("/api/v1/reports", { params: { header: { prefer: "wait=20", "idempotency-key": "a-1" } }, body: report }),
);
const number = accepted.number ?? "";
const mine = must(await app.GET("/api/v1/reports", { params: { query: { limit: 10 } } }));

must(
  await satuPintu(hub, officerKey).POST("/api/v1/reports/{number}/actions", {
    params: { path: { number }, header: { prefer: "wait=20" } },
    body: { act: "answer", text: "Lubang ditutup besok pagi", by: "Ibu Lestari" },
  }),
);
let seen: Schemas["ReportStatus"];
do {
  seen = must(await app.GET("/api/v1/reports/{reference}", { params: { path: { reference: number } } }));
} while (!seen.answers?.length);
const stranger = must(await satuPintu(hub).GET("/api/v1/reports/{reference}", { params: { path: { reference: number } } }));

console.log(
  JSON.stringify({
    number,
    listed: mine.reports.map((r) => r.number),
    wrong: wrong.error?.errors?.map((e) => e.field),
    words: seen.words?.map((w) => w.text),
    answers: seen.answers?.map((w) => w.text),
    stranger: stranger.words ?? null,
  }),
);
