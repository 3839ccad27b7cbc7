// Makes passes with passkit-generator as its README does. Each line that comes in is one JSON message, and is answered
// by one: first what a pass consists of, then how many to make. Argument: the folder with node_modules.
import { createInterface } from "node:readline";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const file = join(resolve(process.argv[2]), "node_modules/passkit-generator/lib/esm/index.js");
const { PKPass } = await import(pathToFileURL(file));
let content;

function make() {
    const { storeCard, barcodes, serialNumber, ...look } = content.pass;
    const made = new PKPass({ ...content.files }, content.certificates, { ...look, serialNumber });
    made.type = "storeCard";
    for (const [list, fields] of Object.entries(storeCard)) made[list].push(...fields);
    made.setBarcodes(...barcodes);
    return made.getAsBuffer();
}

for await (const line of createInterface({ input: process.stdin })) {
    const message = JSON.parse(line);
    let answer = {};
    if (message.files) {
        content = message;
        for (const name of Object.keys(content.files)) content.files[name] = Buffer.from(content.files[name], "base64");
    } else {
        const begun = process.hrtime.bigint();
        let bytes = 0;
        for (let n = 0; n < message.times; n++) bytes = make().length;
        answer = { seconds: Number(process.hrtime.bigint() - begun) / 1e9, bytes };
    }
    process.stdout.write(JSON.stringify(answer) + "\n");
}
