/** Every verb in one chunk of the bundle: most of what they load is the same, and each further file costs a start. */
export { certs } from './certs.ts';
export { create } from './create.ts';
export { deleteClusters } from './delete.ts';
export { doctor } from './doctor.ts';
export { info } from './info.ts';
export { change, link } from './routing.ts';
export { schema } from './schema.ts';
export { status } from './status.ts';
export { validate } from './validate.ts';
export { verify } from './verify.ts';
