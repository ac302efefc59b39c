/** Reports which elements are visible now, by their names; none while the page is hidden. */
export class InView {
  /** @type {Map<Element, string>} */
  #names = new Map();
  /** @type {Set<Element>} */
  #visible = new Set();

  /** @param {(names: string[]) => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
    this.observer = new IntersectionObserver((entries) => this.#update(entries));
    this.onVisibility = () => this.report();
  }

  start() {
    document.addEventListener("visibilitychange", this.onVisibility);
  }

  stop() {
    document.removeEventListener("visibilitychange", this.onVisibility);
    this.observer.disconnect();
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
    if (this.#visible.delete(element)) this.report();
  }

  /** Report what is visible once more, as to a server that has forgotten it. */
  report() {
    const visible = document.hidden ? [] : [...this.#visible];
    this.onChange(visible.map((element) => this.#names.get(element) ?? ""));
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #update(entries) {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting && this.#names.has(target)) this.#visible.add(target);
      else this.#visible.delete(target);
    }
    this.report();
  }
}
