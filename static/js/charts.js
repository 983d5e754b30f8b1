// The one place that draws charts. A figure is data from the server (dashboards/charts.py); its looks are the page's tokens,
// read anew whenever the theme changes.
const CONFIG = {
  responsive: true,
  displaylogo: false,
  displayModeBar: false, // its buttons would be nine tab stops without a name
  showSendToCloud: false, // plotly would offer to upload the figure to its makers
  plotlyServerURL: "",
  showTips: false,
  locale: "en",
};

// A custom property keeps light-dark() as written; only a real colour property resolves it to what is on the screen.
function colourReader() {
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const read = (name) => {
    probe.style.color = name;
    return getComputedStyle(probe).color;
  };
  return { read, close: () => probe.remove() };
}

// Replace every "var(--token)" in a figure by the colour it stands for.
function coloured(value, read) {
  if (typeof value === "string") return value.startsWith("var(--") ? read(value) : value;
  if (Array.isArray(value)) return value.map((one) => coloured(one, read));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, coloured(one, read)]));
}

function template(read) {
  const family = getComputedStyle(document.body).fontFamily;
  const ink = read("var(--tblr-secondary)");
  const axis = {
    automargin: true, gridcolor: read("var(--pp-grid)"), linecolor: read("var(--pp-axis)"), zerolinecolor: read("var(--pp-axis)"), zerolinewidth: 1.5,
    tickfont: { color: ink }, title: { font: { color: ink, size: 12 }, standoff: 8 }, fixedrange: true,
  };
  return {
    layout: {
      font: { family, size: 12, color: read("var(--tblr-body-color)") },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: 8, r: 12, t: 36, b: 8, pad: 4 },
      bargap: 0.35,
      xaxis: { ...axis, showgrid: false, tickangle: 0 },
      yaxis: { ...axis, tickformat: "~s", nticks: 6 },
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { color: ink } },
      hoverlabel: { bgcolor: read("var(--tblr-bg-surface)"), bordercolor: read("var(--tblr-border-color)"), font: { family, color: read("var(--tblr-body-color)") } },
      dragmode: false,
    },
  };
}

const LETTER = 6.5, APART = 14, AXIS = 56; // pixels: a letter of a label, the least room between two, the axis at the side

// Few enough labels that they stand upright and apart, whatever the width; the year stands beneath where it is new.
function ticks(labels, width) {
  const brief = labels.map((label) => label.replace(/ \d{4}(?=–|$)/g, ""));
  const longest = Math.max(4, ...brief.map((label) => label.length));
  const fits = Math.max(2, Math.floor((width - AXIS) / (longest * LETTER + APART)));
  const step = Math.max(1, Math.ceil(labels.length / fits));
  const places = [...labels.keys()].filter((place) => place % step === 0);
  const years = places.map((place) => labels[place].match(/ (\d{4})$/)?.[1] ?? "");
  const text = places.map((place, number) => (years[number] && years[number] !== years[number - 1] ? `${brief[place]}<br>${years[number]}` : brief[place]));
  return { tickmode: "array", tickvals: places.map((place) => labels[place]), ticktext: text };
}

function draw(holder) {
  const figure = JSON.parse(document.getElementById(holder.dataset.figure).textContent);
  const { read, close } = colourReader();
  const layout = { ...coloured(figure.layout, read), template: template(read) };
  if (layout.showlegend === false) layout.margin = { ...layout.template.layout.margin, t: 8 };
  if (layout.xaxis?.type === "category") layout.xaxis = { ...layout.xaxis, ...ticks(figure.data[0]?.x ?? [], holder.clientWidth) };
  const drawn = Plotly.react(holder, coloured(figure.data, read), layout, CONFIG);
  close();
  return drawn;
}

const prepared = new WeakSet();
function drawAll(within = document) {
  for (const holder of within.querySelectorAll("[data-figure]")) {
    if (!prepared.has(holder)) holder.replaceChildren(); // what stands there for readers without this script
    prepared.add(holder);
    draw(holder);
  }
}
drawAll();
document.addEventListener("renewed", ({ target }) => drawAll(target));
for (const query of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)", "print"]) matchMedia(query).addEventListener("change", () => drawAll());
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === width) return;
  width = innerWidth;
  drawAll();
});
