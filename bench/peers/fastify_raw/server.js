// fastify and pg: a request is one raw row, which is committed before the answer.
"use strict";
const cluster = require("node:cluster");
const fastify = require("fastify");
const { Pool } = require("pg");

const STATEMENT = {
  name: "store",
  text: `INSERT INTO ${process.env.TABLE} (pixel_id, body) VALUES ($1, $2)`,
};

function serve() {
  const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 8 });
  const app = fastify();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (request, body, done) => done(null, body));
  app.post("/capi/:pixel/events", async (request, reply) => {
    await pool.query({ ...STATEMENT, values: [request.params.pixel, request.body] });
    reply.code(202);
    return { events_received: 1 };
  });
  app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
}

if (cluster.isPrimary) {
  for (let started = 0; started < Number(process.env.WORKERS); started += 1) cluster.fork();
} else {
  serve();
}
