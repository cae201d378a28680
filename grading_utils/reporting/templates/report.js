const names = new Intl.Collator("en", { numeric: true });
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLocaleLowerCase();
for (const table of document.querySelectorAll("table[data-sortable]")) {
  table.querySelectorAll("thead th").forEach((heading, column) => {
    const button = heading.querySelector("button");
    if (!button) return;
    button.addEventListener("click", () => {
      const down = heading.getAttribute("aria-sort") !== "descending";
      for (const other of table.querySelectorAll("thead th")) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      const number = (row) => Number(row.cells[column].dataset.value);
      const text = (row) => row.cells[column].textContent.trim();
      const body = table.tBodies[0];
      const rows = [...body.rows].sort((a, b) => number(a) - number(b) || names.compare(text(a), text(b)));
      body.append(...(down ? rows.reverse() : rows));
    });
  });
}
const search = document.querySelector(".fb-search");
if (search) {
  const input = search.querySelector("input");
  const found = search.querySelector("[role=status]");
  const rows = [...document.querySelectorAll("[data-student]")].map((row) => [row, plain(row.dataset.student)]);
  search.hidden = false;
  input.addEventListener("input", () => {
    const wanted = plain(input.value).split(/\s+/).filter(Boolean);
    const people = new Set();
    for (const [row, who] of rows) {
      row.hidden = !wanted.every((word) => who.includes(word));
      if (!row.hidden) people.add(who);
    }
    found.textContent = wanted.length ? `${people.size} found` : "";
  });
}
window.addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
