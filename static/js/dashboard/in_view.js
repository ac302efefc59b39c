/** Which elements can be seen now, by their names; none while the page is hidden. */
export class InView {
  /** @type {Map<Element, string>} */
  #names = new Map();
  /** @type {Set<Element>} */
  #seen = new Set();

  /** @param {(names: string[]) => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
    this.observer = new IntersectionObserver((entries) => this.#note(entries));
    document.addEventListener("visibilitychange", () => this.tell());
  }

  /** @param {Element} element @param {string} name */
  add(element, name) {
    this.#names.set(element, name);
    this.observer.observe(element);
  }

  /** @param {Element} element */
  remove(element) {
    this.observer.unobserve(element);
    this.#names.delete(element);
    if (this.#seen.delete(element)) this.tell();
  }

  /** Say once more what is seen, as to a server that has forgotten it. */
  tell() {
    const seen = document.hidden ? [] : [...this.#seen];
    this.onChange(seen.map((element) => this.#names.get(element) ?? ""));
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #note(entries) {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting && this.#names.has(target)) this.#seen.add(target);
      else this.#seen.delete(target);
    }
    this.tell();
  }
}
