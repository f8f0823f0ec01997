// The page: who is here, and which view is shown.

import { computed, createApp, reactive, ref, shallowRef } from "./vendor/vue.js";
import { Host, personOf } from "./host.js";
import { AskView } from "./view/ask.js";
import { CaptureView } from "./view/capture.js";
import { CapsuleView } from "./view/capsule.js";
import { GrantView } from "./view/grant.js";
import { ModelView } from "./view/model.js";
import { NameView } from "./view/name.js";
import { ReplyView } from "./view/reply.js";
import { ServiceView } from "./view/service.js";
import { TimelineView } from "./view/timeline.js";

const VIEWS = {
  capture: ["Capture", CaptureView],
  timeline: ["Timeline", TimelineView],
  ask: ["Ask", AskView],
  reply: ["Reply", ReplyView],
  names: ["Names", NameView],
  model: ["Model", ModelView],
  capsules: ["Capsules", CapsuleView],
  grants: ["Grants", GrantView],
  service: ["Streams", ServiceView],
};
const TOKEN = "keepsake-token";

const Page = {
  components: Object.fromEntries(Object.entries(VIEWS).map(([name, [, view]]) => [`view-${name}`, view])),
  setup() {
    const hash = new URLSearchParams(location.hash.slice(1));
    if (hash.has("token")) {
      sessionStorage.setItem(TOKEN, hash.get("token"));
      history.replaceState(null, "", `#${hash.get("view") ?? ""}`);
    }
    const token = ref(sessionStorage.getItem(TOKEN) ?? "");
    const typed = ref("");
    const view = ref(location.hash.slice(1) in VIEWS ? location.hash.slice(1) : "capture");
    const status = ref("");
    const host = shallowRef(null);
    const me = reactive({ person: "", figures: {}, streams: new Map(), notices: [], held: "" });

    function enter(text) {
      host.value?.close();
      token.value = text.trim();
      me.person = personOf(token.value);
      if (!me.person) {
        status.value = token.value ? "this is no person's token" : "";
        host.value = null;
        return;
      }
      sessionStorage.setItem(TOKEN, token.value);
      host.value = new Host(token.value, (now) => (status.value = now));
      const node = `/person/${me.person}`;
      host.value.value(node, "figures", (figures) => (me.figures = figures ?? {}));
      host.value.value(node, "held", (held) => (me.held = held ?? ""));
      host.value.map(node, "streams", (streams) => (me.streams = new Map(streams)));
      host.value.list(node, "notices", (notices) => (me.notices = notices));
    }
    function leave() {
      sessionStorage.removeItem(TOKEN);
      location.reload();
    }
    function show(name) {
      view.value = name;
      history.replaceState(null, "", `#${name}`);
    }
    if (token.value) enter(token.value);
    const isIn = computed(() => host.value !== null && status.value !== "refused");
    return { VIEWS, token, typed, view, status, host, me, isIn, enter, leave, show };
  },
  template: `
    <header>
      <h1>Keepsake</h1>
      <nav v-if="isIn" aria-label="Views">
        <button v-for="(entry, name) in VIEWS" :key="name" :aria-current="view === name ? 'page' : undefined" @click="show(name)">{{ entry[0] }}</button>
      </nav>
      <span v-if="isIn" class="quiet" role="status">{{ me.person }}<template v-if="status !== 'connected'">, {{ status }}</template></span>
      <button v-if="isIn" @click="leave">Leave</button>
    </header>
    <main v-if="isIn">
      <section v-if="me.held" class="bad" role="alert">Nothing more is taken in: {{ me.held }}.</section>
      <keep-alive><component :is="'view-' + view" :host="host" :me="me" /></keep-alive>
    </main>
    <main v-else>
      <section>
        <h2>Whose memories?</h2>
        <p class="quiet">A token opens one person's memories: <code>keepsake person token NAME</code> makes one. It stays in this tab.</p>
        <form class="row" @submit.prevent="enter(typed)">
          <input v-model="typed" type="password" aria-label="Token" autocomplete="off" placeholder="ks1..." style="flex: 1">
          <button class="main">Enter</button>
        </form>
        <p v-if="status" class="bad" role="alert">{{ status === "refused" ? "The service refuses this token: it is over, was revoked, or is another service's." : status }}</p>
      </section>
    </main>`,
};

createApp(Page).mount("#page");
