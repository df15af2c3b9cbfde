// Starts s3rver on loopback with one bucket, in a folder of its own that goes with it.
const fs = require("fs");
const os = require("os");
const path = require("path");
const S3rver = require("s3rver");

const directory = fs.mkdtempSync(path.join(os.tmpdir(), "returns-api-s3-"));
const end = () => { fs.rmSync(directory, { recursive: true, force: true }); process.exit(0); };
process.on("SIGTERM", end);
new S3rver({
  address: "127.0.0.1",
  port: Number(process.argv[2]),
  directory,
  silent: true,
  configureBuckets: [{ name: process.argv[3] }],
}).run();
