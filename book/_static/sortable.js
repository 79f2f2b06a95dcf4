// Tables of the class "sortable" are sorted by a click on a heading, or by Enter or space on it.
// Without this script they are plain tables, in the order in which they were written.
(function () {
  "use strict";

  // The number that a text begins with, or NaN: "1,528", "0.63 [0.50, 0.79]", "-1.2e-3".
  function numberOf(text) {
    const found = text.replace(/\u2212/g, "-").match(/^[-+]?[\d,]*\.?\d+(e[-+]?\d+)?/i);
    return found ? parseFloat(found[0].replace(/,/g, "")) : NaN;
  }

  // Numbers before texts, each in their order; what is missing, a dash, is last in either order.
  function compare(a, b, sign) {
    const missing = (a === "–") - (b === "–");
    if (missing) return missing;
    const [x, y] = [numberOf(a), numberOf(b)];
    if (!isNaN(x) && !isNaN(y)) return sign * (x - y);
    if (isNaN(x) !== isNaN(y)) return isNaN(x) ? sign : -sign;
    return sign * a.localeCompare(b, "en", { numeric: true });
  }

  function sort(table, headings, column) {
    const heading = headings[column];
    const descending = heading.getAttribute("aria-sort") === "ascending";
    for (const other of headings) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const body = table.tBodies[0];
    const text = (row) => row.cells[column].textContent.trim();
    const rows = [...body.rows].sort((a, b) => compare(text(a), text(b), descending ? -1 : 1));
    for (const row of rows) body.append(row);
  }

  function makeSortable(table) {
    const headings = [...table.tHead.rows[0].cells];
    headings.forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      button.addEventListener("click", () => sort(table, headings, column));
      heading.append(button);
    });
  }

  for (const table of document.querySelectorAll("table.sortable")) makeSortable(table);
})();
