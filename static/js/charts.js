// Draws <canvas data-chart="id"> from the JSON in <script id="id" type="application/json">:
//   {"type": "line" | "bar", "labels": ["2026-01-01T00:00:00Z" | "text", …],
//    "unit": "minute" | "hour" | "day" | null,
//    "series": [{"label": "Received", "values": [1, 2], "color": "blue", "dash": [6, 4]}],
//    "remarks": ["", "so far"], "most": 2}
// Labels that are times are written in the reader's language and, like all times on pages, in UTC. A color is one of
// Tabler's names; dash is the pattern of a broken line. Charts of the same "most" have the same scale. A point with a
// remark counts less than its whole span: it stands apart from the line, as a circle.

// In a legend, lines look as in the chart: without colours, their patterns tell them apart.
const LINES = {
  usePointStyle: true,
  pointStyle: "line",
  pointStyleWidth: 28,
  generateLabels: (chart) =>
    window.Chart.defaults.plugins.legend.labels
      .generateLabels(chart)
      .map((label) => ({ ...label, lineDash: chart.data.datasets[label.datasetIndex].borderDash })),
};

// A variable may hold an expression that a canvas does not understand; a computed colour it does.
function css(name) {
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = `var(${name})`;
  const color = getComputedStyle(probe).color;
  probe.remove();
  return color;
}
const language = document.documentElement.lang;
const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const FORMS = { minute: CLOCK, hour: { weekday: "short", ...CLOCK }, day: { day: "numeric", month: "short" } };

function written(labels, unit) {
  if (!unit) return labels;
  const form = new Intl.DateTimeFormat(language, { timeZone: "UTC", ...FORMS[unit] });
  return labels.map((label) => form.format(new Date(label)));
}

function draw(canvas) {
  const { type = "line", labels, unit = null, series, remarks = [], most = 0 } = JSON.parse(document.getElementById(canvas.dataset.chart).textContent);
  window.Chart.getChart(canvas)?.destroy();
  const text = css("--tblr-secondary");
  const line = css("--tblr-border-color");
  new window.Chart(canvas, {
    type,
    data: {
      labels: written(labels, unit),
      datasets: series.map(({ label, values, color = "blue", dash = [] }) => ({
        label,
        data: values,
        borderColor: css(`--tblr-${color}`),
        backgroundColor: css(`--tblr-${color}`),
        borderWidth: type === "line" ? 2 : 0,
        borderDash: dash,
        pointRadius: ({ dataIndex: at }) => (remarks[at] ? 3 : 0),
        pointBackgroundColor: "transparent",
        pointHitRadius: 12,
        cubicInterpolationMode: "monotone",
        segment: { borderColor: ({ p0DataIndex: from, p1DataIndex: to }) => (remarks[from] || remarks[to] ? "transparent" : undefined) },
      })),
    },
    options: {
      animation: false,
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      locale: language,
      plugins: {
        legend: { labels: { color: text, boxWidth: 12, boxHeight: 12, ...(type === "line" && LINES) } },
        tooltip: {
          callbacks: { title: ([{ label, dataIndex: at }]) => (remarks[at] ? `${label} (${remarks[at]})` : label) },
        },
      },
      scales: {
        x: { ticks: { color: text, maxTicksLimit: 8, maxRotation: 0, autoSkipPadding: 8 }, grid: { display: false } },
        y: { beginAtZero: true, suggestedMax: most, ticks: { color: text, precision: 0 }, grid: { color: line } },
      },
    },
  });
}

const drawAll = (root = document) => root.querySelectorAll("canvas[data-chart]").forEach(draw);

drawAll();
document.addEventListener("themechange", () => drawAll());
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTimeout(drawAll));
document.addEventListener("htmx:load", (event) => drawAll(event.target));
