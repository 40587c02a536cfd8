// PostGraphile 5 as a library, in as many processes as there are cores.
import cluster from "node:cluster";
import { createServer } from "node:http";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { makeV4Preset } from "postgraphile/presets/v4";

const preset = {
  extends: [
    PostGraphileAmberPreset,
    // The same schema as that of PostGraphile 4, so that both are asked the same.
    makeV4Preset({ simpleCollections: "only", dynamicJson: true, disableDefaultMutations: true }),
  ],
  pgServices: [
    makePgService({ connectionString: process.env.DATABASE_URL, schemas: ["peers"], poolConfig: { max: 4 } }),
  ],
  grafserv: { graphqlPath: "/graphql", watch: false },
  grafast: { explain: false },
};

async function serve() {
  const server = createServer();
  await postgraphile(preset).createServ(grafserv).addTo(server);
  server.listen(Number(process.env.PORT), "127.0.0.1");
}

if (cluster.isPrimary) {
  for (let started = 0; started < Number(process.env.WORKERS); started += 1) cluster.fork();
} else {
  serve();
}
