/** The schema library as drivers see it, so that a driver names only its protocol's package. */
export { z } from 'zod';
