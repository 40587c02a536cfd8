// Apollo Client against the portal: node apollo.cjs ASKED, as JSON; prints what was seen, as JSON.
const {createHash} = require("node:crypto");
const {readFileSync} = require("node:fs");
const {ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql} = require("@apollo/client");
const {PersistedQueryLink} = require("@apollo/client/link/persisted-queries");

const asked = JSON.parse(process.argv[2]);

// The page's own example: what is tried here is what people copy.
const [, example] = /```js\n(.*?)```/s.exec(readFileSync(asked.page, "utf8"));
const typePolicies = new Function(`${example}; return typePolicies;`)();

const client = (endpoint, {policies = {}, links = []} = {}) => {
  const requests = [];
  const counted = (url, options) => {
    requests.push(`${options.method} ${/[?&]query=|"query":/.test(url + (options.body ?? "")) ? "document" : "hash"}`);
    return fetch(url, options);
  };
  const http = new HttpLink({
    uri: `${asked.gateway}/${endpoint}/graphql/`, headers: {authorization: `Bearer ${asked.token}`}, fetch: counted,
  });
  const cache = new InMemoryCache({typePolicies: policies});
  return Object.assign(new ApolloClient({cache, link: ApolloLink.from([...links, http])}), {requests});
};

const PEOPLE = gql`query People($id: String!) { tenant(tenantId: $id) { id name users { id email canBeDeleted roles { name } } } }`;
const ACCOUNT = gql`query Account($id: ID!, $minutes: Int) { tenantQueries(tenantId: $id) {
  account(timeWindowMin: $minutes) { name signalConfigs { id connectionStatus { id totalEventsReceived } } }
  eventMetrics(timeWindowMin: $minutes) { id incoming { id eventsCount } activity { id receivedCount } }
} }`;
const FILTERS = gql`query Filters($id: ID!) { tenantQueries(tenantId: $id) { eventFilters { id filterState } domainFilters { id filterState } } }`;

const all = async (policies) => {
  const hub = client("hub", {policies}), capig = client("capig", {policies});
  const questions = asked.tenants.flatMap((id) => [
    [hub, PEOPLE, {id}], [capig, FILTERS, {id}], [capig, ACCOUNT, {id, minutes: 2}], [capig, ACCOUNT, {id, minutes: 60}],
  ]);
  const answered = [];
  for (const [asks, query, variables] of questions) {
    answered.push((await asks.query({query, variables, fetchPolicy: "network-only"})).data);
  }
  const kept = questions.map(([asks, query, variables]) => asks.readQuery({query, variables}));
  return {answered, kept};
};

const persisted = async (useGETForHashedQueries) => {
  const sha256 = (text) => createHash("sha256").update(text).digest("hex");
  const hub = client("hub", {links: [new PersistedQueryLink({sha256, useGETForHashedQueries})]});
  const names = [];
  for (const id of asked.tenants) {
    names.push((await hub.query({query: PEOPLE, variables: {id}})).data.tenant.name);
  }
  return {names, requests: hub.requests};
};

const main = async () => ({
  persistedByPost: await persisted(false),
  persistedByGet: await persisted(true),
  plain: await all({}),
  withPolicies: await all(typePolicies),
});
main().then((seen) => console.log(JSON.stringify(seen)), (error) => { console.error(error); process.exit(1); });
