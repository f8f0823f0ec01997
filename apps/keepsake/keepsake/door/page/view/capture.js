// Say, write, or keep a link: what is captured, and the transcript as it comes.

import { computed, onBeforeUnmount, reactive, ref } from "../vendor/vue.js";
import { Capture, soundPiece, streamName } from "../capture.js";
import { Microphone } from "../microphone.js";
import { size, trouble, when, zone } from "../show.js";
import { upload } from "../upload.js";

export const CaptureView = {
  props: { host: Object, me: Object },
  setup({ host, me }) {
    const sound = reactive({ isOn: false, level: 0, stream: "", partial: "", lines: [], state: {}, stored: 0, error: "" });
    const note = reactive({ text: "", url: "", told: "", error: "", isBusy: false });
    const files = ref([]);
    const names = ref(localStorage.getItem("keepsake-me") ?? "");
    const open = { links: [], capture: null, microphone: null, texts: new Map() };

    function follow(stream) {
      open.links.forEach((end) => end());
      const node = `/person/${me.person}/stream/${stream}`;
      open.links = [
        host.value(node, "partial", (text) => (sound.partial = text ?? "")),
        host.value(node, "stored", (count) => (sound.stored = count ?? 0)),
        host.map(node, "transcript", (lines) => (sound.lines = [...lines.values()].sort((a, b) => a.said_at - b.said_at))),
      ];
    }
    async function record() {
      Object.assign(sound, { error: "", partial: "", lines: [], stored: 0, stream: streamName("sound") });
      try {
        open.microphone = new Microphone();
        open.capture = new Capture(host.token, me.person, sound.stream, { kind: "audio", codec: "pcm", rate: 16000 }, (state) => {
          sound.state = state;
          if (state.error) sound.error = state.error;
        });
        await open.microphone.open((samples, level) => {
          sound.level = level;
          open.capture.put((number) => soundPiece(number, samples));
        });
        sound.isOn = true;
        follow(sound.stream);
      } catch (error) {
        sound.error = trouble(error);
        await open.microphone?.close();
      }
    }
    async function stop() {
      await open.microphone?.close();
      sound.isOn = false;
      sound.level = 0;
      try {
        await open.capture?.end();
        await host.command(`/person/${me.person}/stream/${sound.stream}`, "end");
      } catch (error) {
        sound.error = trouble(error);
      }
    }

    // One stream a tab and kind: two tabs never count in the same one.
    function texts(kind) {
      if (!open.texts.has(kind)) open.texts.set(kind, new Capture(host.token, me.person, streamName(kind), { kind }, (state) => (note.error = state.error)));
      return open.texts.get(kind);
    }
    async function keep() {
      const text = note.text.trim();
      const url = note.url.trim();
      if (!text && !url) return;
      Object.assign(note, { isBusy: true, told: "", error: "" });
      const kind = url ? "web" : "text";
      const source = { app: "keepsake", ...(url ? { url } : {}) };
      const capture = texts(kind);
      capture.put((n) => JSON.stringify({ n, at: Date.now() / 1000, text: text || url, zone: zone(), source }));
      try {
        await capture.done();
        Object.assign(note, { text: "", url: "", told: `kept, ${new Date().toLocaleTimeString()}` });
      } catch (error) {
        open.texts.delete(kind);
        note.error = trouble(error);
      } finally {
        note.isBusy = false;
      }
    }
    async function bring(event) {
      localStorage.setItem("keepsake-me", names.value);
      const chosen = [...event.target.files].filter((file) => file.size);
      event.target.value = "";
      for (const file of chosen) {
        const row = reactive({ name: file.name, size: file.size, offset: 0, state: "open", note: "" });
        files.value.unshift(row);
        await upload(host, me.person, file, names.value, (about) => Object.assign(row, about)).catch((error) => Object.assign(row, { state: "failed", note: trouble(error) }));
      }
    }
    onBeforeUnmount(() => open.links.forEach((end) => end()));
    const told = computed(() => (sound.state.acknowledged ? `${sound.state.acknowledged} pieces are durable, ${sound.stored} understood` : ""));
    return { sound, note, files, names, told, record, stop, keep, bring, size, when };
  },
  template: `
    <section>
      <h2>Say something</h2>
      <div class="row">
        <button v-if="!sound.isOn" class="main" @click="record">Record</button>
        <button v-else class="danger" @click="stop">Stop</button>
        <div class="level" aria-hidden="true"><div :style="{ width: Math.min(100, sound.level * 140) + '%' }"></div></div>
        <span class="quiet" role="status">{{ told }}<template v-if="sound.state.waiting">, {{ sound.state.waiting }} on their way</template><template v-if="sound.state.status === 'waiting'">, connecting again</template></span>
      </div>
      <p v-if="sound.error" class="bad" role="alert">{{ sound.error }}</p>
      <div aria-live="polite">
        <div v-for="line in sound.lines" :key="line.memory" class="line"><p>{{ line.text }}</p></div>
        <p class="partial">{{ sound.partial }}</p>
      </div>
    </section>
    <section>
      <h2>Write it down</h2>
      <form @submit.prevent="keep">
        <textarea v-model="note.text" rows="3" aria-label="Note" placeholder="What happened, who was there, when..." @keydown.ctrl.enter="keep"></textarea>
        <div class="row" style="margin-top: .5rem">
          <input v-model="note.url" type="url" aria-label="Link" placeholder="A link that belongs to it (optional)" style="flex: 1">
          <button class="main" :disabled="note.isBusy">Keep</button>
        </div>
      </form>
      <p class="quiet" role="status">{{ note.told }}</p>
      <p v-if="note.error" class="bad" role="alert">{{ note.error }}</p>
    </section>
    <section>
      <h2>Bring files</h2>
      <p class="quiet">Chats (WhatsApp, Slack, ChatGPT), mail (mbox), Markdown, text, sound. A break does not matter: an upload goes on where it stopped.</p>
      <div class="row">
        <label>Your names in them, by commas<input v-model="names" autocomplete="off"></label>
        <input type="file" multiple aria-label="Files" @change="bring" style="flex: 1">
      </div>
      <div v-for="file in files" class="line">
        <div class="row"><span>{{ file.name }}</span><span class="quiet">{{ size(file.offset) }} of {{ size(file.size) }}, {{ file.state }}</span></div>
        <progress v-if="file.state === 'open'" :value="file.offset" :max="file.size"></progress>
        <p v-if="file.note" :class="file.state === 'failed' ? 'bad' : 'quiet'">{{ file.note }}</p>
      </div>
    </section>`,
};
