"use strict";

const session = location.hash.slice(1) || "s-" + Math.random().toString(36).slice(2, 10);
location.hash = session;
const at = (id) => document.getElementById(id);
at("session").textContent = session;

async function ask(path, options = {}) {
  const token = at("token").value;
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await fetch(`api/sessions/${session}${path}`, { ...options, headers });
  at("version").textContent = answer.headers.get("x-gateway-version") || "–";
  return answer;
}

function show(messages) {
  at("said").replaceChildren(...messages.map((one) => {
    const shown = document.createElement("p");
    shown.className = `message ${one.role} ${one.state === "failed" ? "failed" : ""}`;
    shown.textContent = one.text;
    return shown;
  }));
}

async function look() {
  try {
    const answer = await ask("");
    if (answer.ok) {
      const found = await answer.json();
      show(found.messages);
      at("state").textContent = found.pending ? `${found.pending} to be answered` : "all answered";
    } else if (answer.status !== 404) {
      at("state").textContent = `the gateway answers ${answer.status}`;
    }
  } catch {
    at("state").textContent = "no connection";
  }
  setTimeout(look, 1000);
}

at("say").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = at("text").value;
  // One id for all tries, so that a repeat is the same message.
  const id = "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (c) =>
    (+c ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (+c / 4)))).toString(16));
  for (let tries = 0; tries < 3; tries += 1) {
    const answer = await ask("/messages", { method: "POST", body: JSON.stringify({ id, text }) })
      .catch(() => null);
    if (answer && answer.status < 500) {
      if (answer.ok) at("text").value = "";
      at("state").textContent = answer.ok ? "sent" : `the gateway answers ${answer.status}`;
      return;
    }
  }
  at("state").textContent = "not sent";
});

look();
