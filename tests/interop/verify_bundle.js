// sigstore's JavaScript verifier: verify_bundle.js MODULES BUNDLE KEY.pub; exit 0 if the key has signed the bundle.
const [modules, bundleFile, keyFile] = process.argv.slice(2);
const fs = require("fs");
const { createPublicKey } = require("crypto");
const { bundleFromJSON } = require(`${modules}/@sigstore/bundle`);
const { Verifier, toSignedEntity, toTrustMaterial } = require(`${modules}/@sigstore/verify`);

const bundle = bundleFromJSON(JSON.parse(fs.readFileSync(bundleFile)));
const publicKey = createPublicKey(fs.readFileSync(keyFile));
const nothing = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };
const trust = toTrustMaterial(nothing, () => ({ publicKey, validFor: () => true }));
const thresholds = { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 };
new Verifier(trust, thresholds).verify(toSignedEntity(bundle));
