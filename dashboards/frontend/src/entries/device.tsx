/** /devices/{id}: the device live. */

import { render } from "preact";

import { readFacts } from "../device/facts.ts";
import { Model } from "../device/model.ts";
import { DevicePage } from "../device/page.tsx";
import { element } from "../form.ts";
import { startClock } from "../values/clock.ts";

const facts = readFacts();
startClock(facts.now);
const model = new Model(facts);
render(<DevicePage model={model} />, element("device", HTMLDivElement));
model.start();
