// Copy the browser files that package.json names out of node_modules, and write down what they are (run by `make vendor`).
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const VENDOR = "static/vendor";
const ICONS = [
  "adjustments", "alert-triangle", "arrow-left", "arrow-right", "bell", "building-store", "chart-bar", "check", "chevron-down", "circle-check",
  "clock", "copy", "database", "device-desktop", "devices", "download", "external-link", "file-import", "fingerprint", "help", "inbox", "info-circle",
  "key", "lock", "logout", "mail", "map-search", "menu-2", "moon", "pencil", "plug-connected", "plus", "refresh", "report-money", "search", "selector", "settings",
  "shield-lock", "shopping-cart", "sun", "tool", "trash", "user-circle", "user-plus", "users", "x",
];

const files = [];
const described = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));

// A source map that is named but absent makes Django's collectstatic fail.
const withoutSourceMap = (text) => text.replace(/\n?\/[*/]# sourceMappingURL=[^\n*]*(\*\/)?/g, "");

function note(name, path) {
  const { version, license } = described(name);
  const sha256 = createHash("sha256").update(readFileSync(path)).digest("hex");
  files.push({ path, name, version, licence: license, sha256 });
}

function write(name, path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  note(name, path);
}

function copy(name, from, path) {
  mkdirSync(dirname(path), { recursive: true });
  const source = `node_modules/${name}/${from}`;
  if (/\.(css|js)$/.test(from)) return write(name, path, withoutSourceMap(readFileSync(source, "utf8")));
  copyFileSync(source, path);
  note(name, path);
}

/** Put the icons we use into one file of symbols, shown by `<use href="…#name">`. */
function sprite(name) {
  const symbols = ICONS.map((icon) => {
    const drawing = readFileSync(`node_modules/${name}/icons/outline/${icon}.svg`, "utf8").match(/<svg[^>]*>([\s\S]*)<\/svg>/)[1];
    return `<symbol id="${icon}" viewBox="0 0 24 24">${drawing.replace(/\s*\n\s*/g, "")}</symbol>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`;
}

/** Write down the rules plotly would put into a style element, which our content security policy forbids. */
function plotlyStyles(name) {
  const script = readFileSync(`node_modules/${name}/plotly-finance.min.js`, "utf8");
  const literal = script.match(/\{"X,X div":[^}]*\}/)[0];
  const rules = Object.entries(new Function(`return ${literal}`)());
  // Plotly inserts each rule before the last, so the sheet holds them in reverse.
  return rules.reverse()
    .map(([selector, body]) => `${selector.replace(/^,/, " ,").replace(/X/g, ".js-plotly-plot .plotly").replace(/Y/g, ".plotly-notifier")} { ${body} }\n`).join("");
}

rmSync(VENDOR, { recursive: true, force: true });
copy("@tabler/core", "dist/css/tabler.min.css", `${VENDOR}/tabler/tabler.min.css`);
write("@tabler/icons", `${VENDOR}/tabler-icons/icons.svg`, sprite("@tabler/icons"));
copy("@tabler/icons", "LICENSE", `${VENDOR}/tabler-icons/LICENSE`);
copy("@fontsource-variable/inter", "files/inter-latin-wght-normal.woff2", `${VENDOR}/inter/inter-latin-wght-normal.woff2`);
copy("@fontsource-variable/inter", "files/inter-latin-ext-wght-normal.woff2", `${VENDOR}/inter/inter-latin-ext-wght-normal.woff2`);
copy("@fontsource-variable/inter", "LICENSE", `${VENDOR}/inter/LICENSE`);
copy("plotly.js-finance-dist-min", "plotly-finance.min.js", `${VENDOR}/plotly/plotly-finance.min.js`);
write("plotly.js-finance-dist-min", `${VENDOR}/plotly/plotly-styles.css`, plotlyStyles("plotly.js-finance-dist-min"));
copy("plotly.js-finance-dist-min", "LICENSE", `${VENDOR}/plotly/LICENSE`);
copy("axe-core", "axe.min.js", "tests/browser/axe.min.js");
writeFileSync(`${VENDOR}/manifest.json`, `${JSON.stringify(files, null, 2)}\n`);
