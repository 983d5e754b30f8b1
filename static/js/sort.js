// Let a table that is whole on its page be sorted by a heading: most first, least first, then as it was. Rows of sums stay at the end,
// and parts beneath what they are part of. Without this script the table stands in the server's order.
const NEXT = { none: "descending", descending: "ascending", ascending: "none" };

const number = (text) => {
  const found = text.replaceAll("−", "-").match(/[-+]?[\d,]+(\.\d+)?/);
  return found ? Number(found[0].replaceAll(",", "")) : /^(hardly changed|unchanged)$/.test(text) ? 0 : null;
};
const shown = (row, column) => row.cells[column]?.innerText.trim() ?? "";

// Rows in groups: one and the parts beneath it.
function groupsOf(rows) {
  const groups = [];
  for (const row of rows) {
    if (row.classList.contains("part") && groups.length) groups.at(-1).push(row);
    else groups.push([row]);
  }
  return groups;
}

function compare(column, isText, direction) {
  const sign = direction === "ascending" ? 1 : -1;
  return ([one], [other]) => {
    const [a, b] = [shown(one, column), shown(other, column)];
    if (isText) return sign * -a.localeCompare(b, undefined, { numeric: true });
    const [x, y] = [number(a), number(b)];
    return x === null || y === null ? (x === null) - (y === null) : sign * (x - y); // what is not known comes last either way
  };
}

const sorted = new Map(); // by the caption of a table: its heading and direction, so that a renewed table stands as it was sorted
const known = new WeakSet();

function sortable(table) {
  if (known.has(table)) return;
  known.add(table);
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const sums = rows.filter((row) => row.classList.contains("sum"));
  const groups = groupsOf(rows.filter((row) => !row.classList.contains("sum")));
  const heads = [...table.tHead.rows[0].cells];
  if (groups.length < 2) return;
  heads.forEach((head, column) => {
    const isText = column === 0 || head.classList.contains("text");
    if (isText && table.dataset.sort === "figures") return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort-by";
    button.append(...head.childNodes);
    head.append(button);
    const sortBy = (direction) => {
      heads.forEach((one) => one.removeAttribute("aria-sort"));
      if (direction !== "none") head.setAttribute("aria-sort", direction);
      const inOrder = direction === "none" ? groups : [...groups].sort(compare(column, isText, direction));
      body.append(...inOrder.flat(), ...sums);
      if (table.caption?.id) sorted.set(table.caption.id, { column, direction });
    };
    button.addEventListener("click", () => sortBy(NEXT[head.getAttribute("aria-sort") ?? "none"]));
    const before = sorted.get(table.caption?.id);
    if (before?.column === column && before.direction !== "none") sortBy(before.direction);
  });
}

document.querySelectorAll("table[data-sort]").forEach(sortable);
document.addEventListener("renewed", ({ target }) => target.querySelectorAll("table[data-sort]").forEach(sortable));
