// The form works without this file. With it photos are shown and made smaller, the sending is seen, nothing is lost when
// it fails, and a phone can say where it is.
(() => {
  const LIMIT = 5 * 1024 * 1024;
  const MOST = 5;
  const LONGEST_SIDE = 1600;
  let chosen = [];

  const byId = (id) => document.getElementById(id);

  function start() {
    const form = byId("report");
    const pick = byId("pick");
    pick.hidden = false;
    pick.addEventListener("click", () => byId("files").click());
    byId("files").classList.add("unseen");
    byId("files").tabIndex = -1;
    byId("files").addEventListener("focus", () => pick.focus());
    byId("files").addEventListener("change", async (event) => {
      const added = await Promise.all([...event.target.files].map((file) => smallerPhoto(file, LONGEST_SIDE)));
      choose([...chosen, ...added]);
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (tooMuch()) {
        byId("pick").focus();
        return;
      }
      send(form, event.submitter);
    });
    document.querySelectorAll("header a[hreflang]").forEach((link) => {
      link.addEventListener("click", (event) => {
        if (!byId("text").value && !chosen.length) return;
        event.preventDefault();
        send(form, { name: "switch", value: link.hreflang });
      });
    });
    locate();
  }

  const tooMuch = () => chosen.length > MOST || chosen.some((file) => file.size > LIMIT);

  function choose(files) {
    chosen = files;
    const transfer = new DataTransfer();
    files.forEach((file) => transfer.items.add(file));
    byId("files").files = transfer.files;
    byId("files-wrong").hidden = !tooMuch();
    const list = byId("chosen");
    list.replaceChildren(...files.map((file, at) => thumbnail(file, at, list.dataset.remove)));
  }

  function sizeOf(bytes) {
    if (bytes < 1024 * 1024) return `${Math.ceil(bytes / 1024)} kB`;
    const rounded = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
    return `${(bytes / 1024 / 1024).toLocaleString(document.documentElement.lang, rounded)} MB`;
  }

  function thumbnail(file, at, word) {
    const item = document.createElement("li");
    if (file.type.startsWith("image/")) {
      const picture = document.createElement("img");
      picture.alt = "";
      picture.src = URL.createObjectURL(file);
      picture.addEventListener("load", () => URL.revokeObjectURL(picture.src));
      item.append(picture);
    }
    const name = document.createElement("span");
    name.textContent = `${file.name} · ${sizeOf(file.size)}`;
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "second small";
    remove.textContent = word;
    remove.setAttribute("aria-label", `${word}: ${file.name}`);
    remove.addEventListener("click", () => choose(chosen.filter((_, other) => other !== at)));
    item.append(name, remove);
    return item;
  }

  function send(form, submitter) {
    const fields = new FormData(form);
    if (submitter && submitter.name) fields.append(submitter.name, submitter.value);
    const files = fields.has("switch") ? [] : fields.getAll("files");
    if (fields.has("switch")) fields.delete("files");
    const request = new XMLHttpRequest();
    busy(true, form.dataset.sending);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable && files.length) byId("progress").value = event.loaded / event.total;
    });
    request.addEventListener("error", () => busy(false, form.dataset.failed, true));
    request.addEventListener("load", () => answered(form, request));
    request.open("POST", form.action);
    request.send(fields);
  }

  function answered(form, request) {
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    if (request.status === 200 && !page.getElementById("report")) {
      location.assign(request.responseURL);
    } else if (page.getElementById("report")) {
      show(page);
    } else {
      busy(false, request.status === 413 ? form.dataset.large : refusal(form, page), true);
    }
  }

  // Our own page of the fault says when to send again.
  function refusal(form, page) {
    const detail = page.querySelector("main .lead");
    return `${form.dataset.refused} ${detail ? detail.textContent : form.dataset.later}`;
  }

  // The same form, in another language or with its errors: the chosen files stay.
  function show(page) {
    document.documentElement.lang = page.documentElement.lang;
    document.title = page.title;
    document.body.replaceChildren(...page.body.children);
    start();
    choose(chosen);
    const first = document.querySelector("[aria-invalid]") || byId("errors");
    if (first) first.focus();
    else byId("text").focus();
    const again = byId("files-again");
    if (again) again.hidden = chosen.length > 0;
  }

  function busy(is, words, wrong = false) {
    byId("send").disabled = is;
    byId("progress").hidden = !is;
    byId("progress").value = 0;
    const status = byId("send-status");
    status.textContent = words;
    status.classList.toggle("error", wrong);
    status.classList.toggle("hint", !wrong);
  }

  function locate() {
    const button = byId("locate");
    if (!navigator.geolocation || !window.isSecureContext) return;
    const status = byId("locate-status");
    button.hidden = false;
    button.addEventListener("click", () => {
      button.disabled = true;
      navigator.geolocation.getCurrentPosition(
        ({ coords }) => {
          byId("latitude").value = coords.latitude.toFixed(6);
          byId("longitude").value = coords.longitude.toFixed(6);
          button.hidden = true;
          status.textContent = button.dataset.located;
        },
        () => {
          button.disabled = false;
          status.textContent = button.dataset.failed;
        },
        { timeout: 15000 },
      );
    });
  }

  // Whoever goes back to the form may get it as it was left, still sending.
  addEventListener("pageshow", (event) => {
    if (event.persisted) busy(false, "");
  });

  start();
})();
