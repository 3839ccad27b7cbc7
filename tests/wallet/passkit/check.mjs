// Asks passkit-generator's own schema about passes: {name: pass.json} comes in, {name: [faults]} goes out.
// The package exports no schema, so it is taken from its file; argument: the folder with node_modules.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const file = join(resolve(process.argv[2]), "node_modules/passkit-generator/lib/esm/schemas/index.js");
const { PassProps } = await import(pathToFileURL(file));
const passes = JSON.parse(readFileSync(0, "utf8"));
const faults = Object.entries(passes).map(([name, pass]) => {
    const { error } = PassProps.validate(pass, { abortEarly: false });
    return [name, error ? error.details.map((detail) => detail.message) : []];
});
process.stdout.write(JSON.stringify(Object.fromEntries(faults)));
