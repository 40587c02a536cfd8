// What Meta's libraries make of identifiers: node identifiers.cjs FILE, which holds [[field, value], …] as JSON.
// Prints [{builder, node}, …]: a hash, or null where the library gives none or refuses the value.
const fs = require("fs");
const {getNormalizedAndHashedPII} = require("capi-param-builder-nodejs/src/piiUtil/PIIUtil");
const {ServerSideUtils} = require("facebook-nodejs-business-sdk");

// What the parameter builder calls the fields that it knows.
const KINDS = {
  em: "email", ph: "phone", fn: "first_name", ln: "last_name", db: "date_of_birth",
  ge: "gender", ct: "city", st: "state", zp: "zip_code", country: "country",
};

function attempt(normalise) {
  try {
    return normalise() || null;
  } catch (error) {
    return null;
  }
}

const asked = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
console.log(JSON.stringify(asked.map(([field, value]) => ({
  ...(KINDS[field] && {builder: attempt(() => getNormalizedAndHashedPII(value, KINDS[field]))}),
  node: attempt(() => ServerSideUtils.normalizeAndHash(value, field)),
}))));
