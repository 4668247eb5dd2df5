// One script tag on any site shows the form there, in a frame of its own:
//   <script src="https://lapor.example.go.id/widget.js" data-lang="id" async></script>
// Nothing of the site is read, and the form cannot change it: the frame tells only how high it is.
(() => {
  const script = document.currentScript;
  const english = script.dataset.lang === "en";
  const address = new URL("widget", script.src);
  if (english) address.searchParams.set("lang", "en");

  const frame = document.createElement("iframe");
  frame.src = address.href;
  frame.title = script.dataset.title || (english ? "Report form of Satu Pintu" : "Formulir laporan Satu Pintu");
  frame.allow = "geolocation";
  frame.sandbox = "allow-scripts allow-forms allow-same-origin allow-popups allow-popups-to-escape-sandbox";
  frame.referrerPolicy = "strict-origin";
  frame.style.cssText = "display:block;width:100%;height:860px;border:0";

  window.addEventListener("message", (event) => {
    if (event.source !== frame.contentWindow || event.origin !== address.origin) return;
    const height = event.data && event.data.satupintu;
    if (Number.isFinite(height)) frame.style.height = `${Math.min(Math.max(height, 200), 20000)}px`;
  });
  let pages = 0;
  frame.addEventListener("load", () => {
    pages += 1;
    if (pages > 1) frame.scrollIntoView({ block: "start" }); // the number stands at the top
  });
  script.after(frame);
})();
