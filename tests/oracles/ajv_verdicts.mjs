// SPDX-License-Identifier: Apache-2.0
// Answers each line {"schema", "value"} of standard input with what ajv says: true, false or `error: why`.
import {createRequire} from "node:module";
import {createInterface} from "node:readline";
import {resolve} from "node:path";

const require = createRequire(resolve(process.argv[2], "package.json"));
const {default: Ajv} = require("ajv/dist/2020.js");

for await (const line of createInterface({input: process.stdin})) {
  const {schema, value} = JSON.parse(line);
  try {
    const ajv = new Ajv({strict: false, validateFormats: false, logger: false});
    console.log(ajv.validate(schema, value));
  } catch (error) {
    console.log(`error: ${String(error.message).replaceAll("\n", " ")}`);
  }
}
