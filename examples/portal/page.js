// What the service says is shown as text, never as markup.
const find = (id) => document.getElementById(id);

function tell(text) {
  find("progress").textContent = text;
}

async function ask(path, body) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(path, body && { method: "POST", headers, body: JSON.stringify(body) });
  const result = await answer.json();
  if (answer.ok) return result;
  if (body || answer.status !== 401) tell([result.message ?? result.detail, result.hint].filter(Boolean).join("; "));
  return null;
}

function cell(row, text, name) {
  const made = row.insertCell();
  made.textContent = text;
  if (name) made.className = name;
  return made;
}

function show(system) {
  const row = find("systems").insertRow();
  row.dataset.id = system.id;
  cell(row, system.name);
  cell(row, system.ready ? "ready" : system.state === "deployed" ? "starting" : system.state);
  cell(row, system.why.join("; "), "why");
  const link = cell(row, "").appendChild(document.createElement("a"));
  if (system.ready && /^https?:/.test(system.url)) {
    Object.assign(link, { href: system.url, textContent: "Open", target: "_blank", rel: "noopener" });
  }
  const stop = cell(row, "").appendChild(document.createElement("button"));
  stop.textContent = "Stop";
  stop.onclick = async () => {
    stop.disabled = true;
    await ask(`/stop/${system.id}`, {});
    list();
  };
}

async function list() {
  const answer = await ask("/systems");
  find("sign-in").hidden = !!answer;
  find("desk").hidden = !answer;
  if (!answer) return;
  const apps = find("start").elements.app;
  apps.replaceChildren(...answer.apps.map((name) => new Option(name)));
  find("systems").replaceChildren();
  answer.systems.forEach(show);
}

function follow(id) {
  const stream = new EventSource(`/events/${id}`);
  const hear = (event) => {
    const progress = JSON.parse(event.data);
    tell(`${progress.percent} % ${progress.message}`);
  };
  for (const kind of ["progress", "log", "report"]) stream.addEventListener(kind, hear);
  for (const kind of ["ready", "failed"]) {
    stream.addEventListener(kind, (event) => {
      stream.close();
      hear(event);
      list();
    });
  }
  stream.onerror = () => stream.close();
}

const fields = (form) => Object.fromEntries(new FormData(form));

find("start").onsubmit = async (event) => {
  event.preventDefault();
  const answer = await ask("/start", fields(event.target));
  if (!answer) return;
  await list();
  follow(answer.id);
};

find("sign-in").onsubmit = async (event) => {
  event.preventDefault();
  if (await ask("/sign-in", fields(event.target))) tell("");
  event.target.reset();
  list();
};

find("sign-out").onclick = async () => {
  await ask("/sign-out", {});
  tell("");
  list();
};

list();
