/** A mail's HTML as nodes that cannot do anything: known elements, their style, links that lead out; nothing that runs or loads. */

const KNOWN = new Set("A B BLOCKQUOTE BR DIV EM H1 H2 H3 H4 HR I LI OL P SMALL SPAN STRONG TABLE TBODY TD TFOOT TH THEAD TR U UL".split(" "));
const STYLE = "data-style";
const KEPT = ["cellpadding", "cellspacing", "role", "lang", "dir", "colspan", "rowspan", "align", "valign", "width", "scope"];

/** Return the body of *html*; style attributes become styles by script, as the page's policy lets no attribute do it. */
export function shownMail(html: string): HTMLElement {
  const { body, documentElement } = new DOMParser().parseFromString(unstyled(html), "text/html");
  const shown = document.createElement("div");
  shown.lang = documentElement.lang;
  shown.style.cssText = body.getAttribute(STYLE) ?? "";
  copy(body, shown);
  return shown;
}

/** The policy holds while parsing, too: keep each style under another name, and leave sheets out. */
function unstyled(html: string): string {
  return html.replace(/<style[\s\S]*?<\/style>/gi, "").replace(/<[a-z][^>]*>/gi, (tag) => tag.replace(/\sstyle=/gi, ` ${STYLE}=`));
}

function copy(from: Node, into: HTMLElement): void {
  for (const node of from.childNodes) {
    if (node instanceof Text) into.append(node.data);
    else if (node instanceof Element && KNOWN.has(node.tagName)) into.append(known(node));
  }
}

function known(element: Element): HTMLElement {
  const shown = document.createElement(element.tagName);
  for (const name of KEPT) {
    const value = element.getAttribute(name);
    if (value !== null) shown.setAttribute(name, value);
  }
  shown.style.cssText = (element.getAttribute(STYLE) ?? "").replace(/url\(/gi, "");
  const address = element.getAttribute("href") ?? "";
  if (shown instanceof HTMLAnchorElement && /^https?:/i.test(address)) {
    shown.href = address;
    shown.target = "_blank";
    shown.rel = "noreferrer";
  }
  copy(element, shown);
  return shown;
}
