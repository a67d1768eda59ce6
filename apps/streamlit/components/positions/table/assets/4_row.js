// One row of the table: a <tr> that is built once and then only updated. Text goes in as text, never as HTML.

function element(tag, className, parent, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  parent?.append(node);
  return node;
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function setAttribute(node, name, value) {
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

class RowView {
  constructor(row, columns) {
    this.tr = element("tr", `pt-row pt-${row.kind}`);
    this.tr.tabIndex = -1;
    this.tr.dataset.key = row.key;
    this.tr.dataset.kind = row.kind;
    if (row.kind === "group") this.tr.dataset.group = row.id;
    else this.tr.dataset.positionId = row.kind === "leg" ? row.parent : row.id;
    setAttribute(this.tr, "aria-level", { group: "1", leg: "3" }[row.kind] ?? "2");
    this.cells = new Map();
    for (const id of columns) this.#addCell(id, row);
    this.mark = null;
    this.move = { direction: 0, at: 0 };
  }

  #addCell(id, row) {
    const td = element("td", "", this.tr);
    td.dataset.col = id;
    const cell = { td };
    if (id === "position") {
      const place = element("div", "pt-place", td);
      cell.twist = element("span", "pt-twist", place);
      cell.twist.setAttribute("aria-hidden", "true");
      const words = element("span", "pt-words", place);
      for (const part of ["name", "sub", "warning", "note"]) cell[part] = element("span", `pt-${part}`, words);
    } else {
      if (id === "mark" && row.kind !== "group") {
        cell.move = element("span", "pt-move", td);
        cell.move.setAttribute("aria-hidden", "true");
      }
      if (id === "quote" && row.kind !== "group") {
        cell.sign = element("span", "pt-sign", td);
        td.append(" ");
      }
      cell.value = element("span", "pt-value", td);
      if (WITH_EXTRA.has(id)) cell.extra = element("span", "pt-extra", td);
      if (id === "mark" || id === "pnl_open") cell.second = element("span", "pt-second", td);
    }
    this.cells.set(id, cell);
  }

  update(row, context) {
    this.row = row;
    this.widen = context.widen;
    setAttribute(this.tr, "aria-expanded", context.expanded === null ? null : String(context.expanded));
    setAttribute(this.tr, "aria-selected", row.kind === "group" ? null : String(context.selected));
    this.#updateName(row, context);
    if (row.kind === "group") this.#updateGroup(row);
    else this.#updateFigures(row, context);
    this.tick(context.now, context.staleAfter);
  }

  #updateName(row, context) {
    const cell = this.cells.get("position");
    setText(cell.twist, context.expanded === null ? "" : context.expanded ? "\u25be" : "\u25b8");
    setText(cell.name, row.name);
    if (cell.name.title !== row.name) cell.name.title = row.name;
    setText(cell.sub, row.sub ?? "");
    setText(cell.note, row.note ?? "");
    if (row.kind !== "group") this.#updateWarning(cell.warning, row.warning ?? [], context.warnings);
  }

  // In few words on the row; the whole sentence on hover and for a screen reader.
  #updateWarning(node, codes, warnings) {
    const words = codes.map((code) => warnings[code] ?? [code, code]);
    const short = words.length ? `\u26a0 ${words.map(([few]) => few).join(", ")}` : "";
    const sentences = words.map(([, sentence]) => sentence).join(" ");
    if (node.textContent === short + sentences) return;
    node.replaceChildren(short);
    node.title = sentences;
    if (sentences) element("span", "pt-aloud", node, sentences);
  }

  #updateGroup(row) {
    for (const id of ["pnl_open", "pnl_day"]) {
      this.#setFigure(id, COLUMN_BY_ID.get(id).text(row), Math.sign(row[id] ?? 0));
    }
    this.#setFigure("quote", row.cover, 0);
    this.#setExtra("pnl_day", row.day_cover);
    const open = this.cells.get("pnl_open");
    if (open) setText(open.second, isNumber(row.pnl_open) ? "" : row.cover);
    this.tr.classList.toggle("is-partial", row.partial);
  }

  #updateFigures(row, context) {
    for (const id of this.cells.keys()) {
      const column = COLUMN_BY_ID.get(id);
      if (column.text) this.#setFigure(id, this.#legText(row, column), column.tone ? column.tone(row) : 0);
    }
    const quote = this.cells.get("quote");
    if (quote) quote.td.title = (row.said ?? []).map((code) => context.warnings[code]?.[1] ?? code).join(" ");
    const open = this.cells.get("pnl_open");
    if (open && row.kind !== "leg") setText(open.second, formatPercent(row.pnl_pct, true));
    if (isNumber(row.mark) && isNumber(this.mark) && row.mark !== this.mark) {
      this.move = { direction: Math.sign(row.mark - this.mark), at: context.now };
    }
    this.mark = row.mark;
  }

  // A leg has no figures of its own where the structure has them; an empty cell says more than a dash there.
  #legText(row, column) {
    const blank = row.kind === "leg" && ["dte", "cost", "pnl_open", "pnl_pct", "pnl_day"].includes(column.id);
    return blank && !isNumber(row[column.id]) ? "" : column.text(row);
  }

  #setFigure(id, text, tone) {
    const cell = this.cells.get(id);
    if (!cell) return;
    setText(cell.value, text ?? "");
    if (cell.value.textContent.length > 6) this.widen(id, cell.value.textContent.length);
    const className = tone > 0 ? "pt-value is-up" : tone < 0 ? "pt-value is-down" : "pt-value";
    if (cell.value.className !== className) cell.value.className = className;
  }

  #setExtra(id, text) {
    const extra = this.cells.get(id)?.extra;
    if (!extra) return;
    setText(extra, text ?? "");
    if (extra.textContent.length > 7) this.widen(id, extra.textContent.length * 0.85);
  }

  // What time alone changes: ages, states that the browser sees pass, and marks of change that fade.
  tick(now, staleAfter) {
    const { row } = this;
    const state = stateOf(row, now, staleAfter);
    if (this.tr.dataset.state !== state) this.tr.dataset.state = state;
    if (row.kind === "group") {
      const late = ["stale", "halted"].includes(state) ? ` ${STATES[state][0]} ${STATES[state][1]}` : "";
      setText(this.cells.get("position").warning, late);
      return;
    }
    const [sign, text] = quoteWords(row, now, staleAfter);
    const quote = this.cells.get("quote");
    if (quote) {
      setText(quote.sign, sign);
      setText(quote.value, text);
      // The sign and the space before the words need room too.
      this.widen("quote", text.length + 2);
    }
    this.#setExtra("dte", isNumber(row.ends) ? formatLeft((row.ends - now) / 1000) : "");
    const aged = isNumber(row.greeks_time) ? formatAge((now - row.greeks_time) / 1000) : "";
    for (const id of GREEKS) this.#setExtra(id, isNumber(row[id]) ? aged : "");
    const mark = this.cells.get("mark");
    if (!mark) return;
    setText(mark.second, `${sign} ${text}`);
    const fresh = isNumber(row.mark) && now - this.move.at < MOVE_MILLISECONDS ? this.move.direction : 0;
    setText(mark.move, fresh > 0 ? "\u25b2" : fresh < 0 ? "\u25bc" : "");
    const moveClass = fresh > 0 ? "pt-move is-up" : "pt-move is-down";
    if (mark.move.className !== moveClass) mark.move.className = moveClass;
  }
}
