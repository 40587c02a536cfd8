// PostGraphile 4 as a library, in as many processes as there are cores.
"use strict";
const cluster = require("node:cluster");
const http = require("node:http");
const { Pool } = require("pg");
const { postgraphile } = require("postgraphile");

function serve() {
  const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 4 });
  const handler = postgraphile(pool, "peers", {
    simpleCollections: "only",
    dynamicJson: true,
    disableDefaultMutations: true,
    disableQueryLog: true,
    ignoreRBAC: false,
    legacyRelations: "omit",
  });
  http.createServer(handler).listen(Number(process.env.PORT), "127.0.0.1");
}

if (cluster.isPrimary) {
  for (let started = 0; started < Number(process.env.WORKERS); started += 1) cluster.fork();
} else {
  serve();
}
