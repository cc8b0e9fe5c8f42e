// The site's search is a worker, which a browser does not start for a page that was opened as a file. There, a frame
// loads the same script: what either side says is an event of the other one.
if (location.protocol === "file:") {
  const load = (inside, address) => new Promise((resolve, reject) => {
    const script = inside.document.createElement("script")
    script.src = address
    script.onload = resolve
    script.onerror = reject
    inside.document.body.append(script)
  })
  window.Worker = class extends EventTarget {
    constructor(address) {
      super()
      const frame = document.createElement("iframe")
      frame.hidden = true
      document.body.append(frame)
      this.inside = frame.contentWindow
      this.inside.postMessage = data => this.dispatchEvent(new MessageEvent("message", { data }))
      this.inside.importScripts = (...addresses) =>
        addresses.reduce((before, next) => before.then(() => load(this.inside, next)), Promise.resolve())
      this.loaded = load(this.inside, address)
    }
    postMessage(data) {
      this.loaded.then(() => this.inside.dispatchEvent(new MessageEvent("message", { data })))
    }
  }
}
