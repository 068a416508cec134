/* client.js - asks the engine, which runs in a worker; where none starts, in the page itself. */

class EngineClient {
    constructor(about, text) {
        this.waiting = new Map();
        this.next = 1;
        this.state = { engine: null };
        this.worker = null;
        this.opened = this.start(about, text);
    }

    async start(about, text) {
        try {
            const source = new Blob([byId('core').textContent], { type: 'text/javascript' });
            const worker = new Worker(URL.createObjectURL(source));
            worker.onmessage = (event) => this.settle(event.data);
            await new Promise((resolve, reject) => {
                worker.onerror = reject;
                this.worker = worker;
                this.send('open', { about, text }).then(resolve, reject);
            });
            worker.onerror = null;
        } catch (error) {
            if (error instanceof Error && error.message.startsWith('the page holds')) {
                throw error; /* damaged numbers are so everywhere */
            }
            this.worker = null;
            await this.send('open', { about, text });
        }
    }

    settle({ id, result, error }) {
        const { resolve, reject } = this.waiting.get(id) || {};
        this.waiting.delete(id);
        if (error) {
            reject?.(new Error(error));
        } else {
            resolve?.(result);
        }
    }

    send(type, question) {
        return new Promise((resolve, reject) => {
            const asked = { ...question, type, id: this.next++ };
            this.waiting.set(asked.id, { resolve, reject });
            if (this.worker) {
                this.worker.postMessage(asked);
            } else {
                setTimeout(() => this.settle(engineAnswer(this.state, asked)), 0);
            }
        });
    }

    async ask(type, question) {
        await this.opened;
        return this.send(type, question);
    }
}
