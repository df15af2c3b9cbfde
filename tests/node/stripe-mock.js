// Starts stripe-stateful-mock on loopback only: its own command listens on every interface.
const log = require("loglevel");
const { createExpressApp } = require("stripe-stateful-mock/dist");

log.setDefaultLevel("silent");
createExpressApp().listen(Number(process.argv[2]), "127.0.0.1");
