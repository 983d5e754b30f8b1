// The grid of costs without a mouse: cells copied from a spreadsheet fill inputs to the right and below, arrows and Enter move.
const inputs = (row) => [...row.querySelectorAll("input[type=text]")];

function placeOf(input) {
  const row = input.closest("tr");
  const rows = [...row.parentElement.rows];
  return { rows, down: rows.indexOf(row), across: inputs(row).indexOf(input) };
}

function cellsOf(text) {
  const lines = text.replaceAll("\r\n", "\n").replaceAll("\r", "\n").replace(/\n+$/, "").split("\n");
  return lines.map((line) => line.split("\t").map((cell) => cell.trim()));
}

function paste(event) {
  const text = event.clipboardData?.getData("text/plain") ?? "";
  if (!/[\t\n\r]/.test(text.replace(/[\r\n]+$/, ""))) return; // one cell goes where the cursor is
  event.preventDefault();
  const { rows, down, across } = placeOf(event.target);
  cellsOf(text).forEach((cells, i) => {
    const targets = rows[down + i] ? inputs(rows[down + i]) : [];
    cells.forEach((cell, j) => {
      const target = targets[across + j];
      if (!target) return;
      target.value = cell;
      target.dispatchEvent(new Event("input", { bubbles: true }));
    });
  });
}

function move(event) {
  const { key, target } = event;
  const { rows, down, across } = placeOf(target);
  const atStart = target.selectionStart === 0 && target.selectionEnd === 0;
  const atEnd = target.selectionStart === target.value.length;
  let next;
  if (key === "ArrowDown" || (key === "Enter" && !event.shiftKey)) next = rows[down + 1] && inputs(rows[down + 1])[across];
  else if (key === "ArrowUp" || key === "Enter") next = rows[down - 1] && inputs(rows[down - 1])[across];
  else if (key === "ArrowRight" && atEnd) next = inputs(rows[down])[across + 1];
  else if (key === "ArrowLeft" && atStart) next = inputs(rows[down])[across - 1];
  // Enter in the last row must not send the sheet off.
  if (next || key === "Enter") event.preventDefault();
  next?.focus();
  next?.select();
}

for (const grid of document.querySelectorAll("[data-grid]")) {
  const inGrid = (act) => (event) => event.target.matches("tbody input[type=text]") && act(event);
  grid.addEventListener("paste", inGrid(paste));
  grid.addEventListener("keydown", inGrid(move));
}
